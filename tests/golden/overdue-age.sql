-- stock
SELECT CASE WHEN (dossier.due_at IS NULL OR dossier.due_at >= '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE) THEN NULL WHEN (dossier.due_at > '2024-03-25T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE) THEN '0-6'::VARCHAR WHEN (dossier.due_at > '2024-03-02T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE) THEN '7-29'::VARCHAR WHEN (dossier.due_at > '2024-01-02T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE) THEN '30-89'::VARCHAR WHEN true THEN '90+'::VARCHAR END AS by_overdue_age, count(*) FILTER (WHERE dossier.due_at < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE) AS overdue
FROM dossier
  LEFT OUTER JOIN procedure ON procedure.code = dossier.procedure
WHERE dossier.received_at < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  AND (dossier.finished_at IS NULL OR dossier.finished_at >= '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE)
  AND (dossier.finished_at IS NOT NULL OR dossier.status IS NULL OR (dossier.status NOT IN (3::SMALLINT, 7::SMALLINT, 8::SMALLINT, 9::SMALLINT, 10::SMALLINT)))
  AND procedure.field_code IN ('f1'::VARCHAR)
  AND dossier.due_at < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  GROUP BY by_overdue_age;
