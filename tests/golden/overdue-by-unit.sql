-- stock
SELECT dossier.unit AS by_unit, count(*) AS open, count(*) FILTER (WHERE dossier.due_at < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE) AS overdue, count(*) FILTER (WHERE dossier.due_at >= '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  AND dossier.due_at <= '2024-04-01T10:00:00+00:00'::TIMESTAMP WITH TIME ZONE) AS due_soon_8h
FROM dossier
WHERE dossier.received_at < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  AND (dossier.finished_at IS NULL OR dossier.finished_at >= '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE)
  AND (dossier.finished_at IS NOT NULL OR dossier.status IS NULL OR (dossier.status NOT IN (3::SMALLINT, 7::SMALLINT, 8::SMALLINT, 9::SMALLINT, 10::SMALLINT)))
  AND dossier.unit = ANY (['d1', 'u1', 'u2', 'u3']::TEXT[])
  GROUP BY by_unit;
