-- stock
WITH stay AS
(SELECT dossier.unit AS by_unit, width_bucket(dossier.received_at, ['2024-01-01T00:00:00+07:00', '2024-02-01T00:00:00+07:00', '2024-03-01T00:00:00+07:00', '2024-04-01T00:00:00+07:00']::TIMESTAMP WITH TIME ZONE[]) AS received, width_bucket(dossier.due_at, ['2024-01-01T00:00:00+07:00', '2024-02-01T00:00:00+07:00', '2024-03-01T00:00:00+07:00', '2024-04-01T00:00:00+07:00']::TIMESTAMP WITH TIME ZONE[]) AS due, coalesce(width_bucket(dossier.finished_at, ['2024-01-01T00:00:00+07:00', '2024-02-01T00:00:00+07:00', '2024-03-01T00:00:00+07:00', '2024-04-01T00:00:00+07:00']::TIMESTAMP WITH TIME ZONE[]), 4::INTEGER) AS closed, NULL AS waits, NULL AS unchanged, NULL AS judged, NULL AS term, NULL AS due_soon_8h, width_bucket(dossier.due_at - '0:00:00.000001', ['2024-01-04T10:00:00+00:00', '2024-02-05T10:00:00+00:00', '2024-03-05T10:00:00+00:00', '2024-04-03T10:00:00+00:00']::TIMESTAMP WITH TIME ZONE[]) AS due_soon_24h, count(*) AS dossiers
FROM dossier
WHERE dossier.received_at < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  AND (dossier.finished_at IS NULL OR dossier.finished_at >= '2024-01-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE)
  AND (dossier.finished_at IS NOT NULL OR dossier.status IS NULL OR (dossier.status NOT IN (3::SMALLINT, 7::SMALLINT, 8::SMALLINT, 9::SMALLINT, 10::SMALLINT)))
  GROUP BY by_unit, received, due, closed, waits, unchanged, judged, term, due_soon_8h, due_soon_24h)
 SELECT stay.by_unit, 'open'::VARCHAR AS stock, stay.received + 1::INTEGER AS bucket, 1::INTEGER * sum(stay.dossiers) AS change
FROM stay
WHERE stay.received < stay.closed
  AND stay.received + 1::INTEGER <= 4::INTEGER
  GROUP BY stay.by_unit, bucket
  UNION ALL SELECT stay.by_unit, 'open'::VARCHAR AS stock, stay.closed + 1::INTEGER AS bucket, -1::INTEGER * sum(stay.dossiers) AS change
FROM stay
WHERE stay.received < stay.closed
  AND stay.closed + 1::INTEGER <= 4::INTEGER
  GROUP BY stay.by_unit, bucket
  UNION ALL SELECT stay.by_unit, 'overdue'::VARCHAR AS stock, greatest(stay.received, stay.due) + 1::INTEGER AS bucket, 1::INTEGER * sum(stay.dossiers) AS change
FROM stay
WHERE stay.due IS NOT NULL
  AND greatest(stay.received, stay.due) < stay.closed
  AND greatest(stay.received, stay.due) + 1::INTEGER <= 4::INTEGER
  GROUP BY stay.by_unit, bucket
  UNION ALL SELECT stay.by_unit, 'overdue'::VARCHAR AS stock, stay.closed + 1::INTEGER AS bucket, -1::INTEGER * sum(stay.dossiers) AS change
FROM stay
WHERE stay.due IS NOT NULL
  AND greatest(stay.received, stay.due) < stay.closed
  AND stay.closed + 1::INTEGER <= 4::INTEGER
  GROUP BY stay.by_unit, bucket
  UNION ALL SELECT stay.by_unit, 'due_soon_24h'::VARCHAR AS stock, greatest(stay.received, stay.due_soon_24h) + 1::INTEGER AS bucket, 1::INTEGER * sum(stay.dossiers) AS change
FROM stay
WHERE stay.due IS NOT NULL
  AND greatest(stay.received, stay.due_soon_24h) < least(stay.closed, stay.due)
  AND greatest(stay.received, stay.due_soon_24h) + 1::INTEGER <= 4::INTEGER
  GROUP BY stay.by_unit, bucket
  UNION ALL SELECT stay.by_unit, 'due_soon_24h'::VARCHAR AS stock, least(stay.closed, stay.due) + 1::INTEGER AS bucket, -1::INTEGER * sum(stay.dossiers) AS change
FROM stay
WHERE stay.due IS NOT NULL
  AND greatest(stay.received, stay.due_soon_24h) < least(stay.closed, stay.due)
  AND least(stay.closed, stay.due) + 1::INTEGER <= 4::INTEGER
  GROUP BY stay.by_unit, bucket;
