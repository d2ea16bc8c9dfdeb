-- closing
SELECT anon_1.kind AS by_unit_kind, count(*) FILTER (WHERE (dossier.status IN (9::SMALLINT, 10::SMALLINT) OR dossier.status IS NULL OR dossier.status IN (3::SMALLINT, 7::SMALLINT, 8::SMALLINT))
  AND dossier.due_at IS NOT NULL) AS ended_with_due, count(*) FILTER (WHERE (dossier.status IN (9::SMALLINT, 10::SMALLINT) OR dossier.status IS NULL OR dossier.status IN (3::SMALLINT, 7::SMALLINT, 8::SMALLINT))
  AND (dossier.finished_at <= dossier.due_at OR dossier.paused_seconds > 0::BIGINT
  AND dossier.finished_at - make_interval(0::INTEGER, 0::INTEGER, 0::INTEGER, 0::INTEGER, 0::INTEGER, 0::INTEGER, dossier.paused_seconds) <= dossier.due_at)) AS ended_in_term, count(*) FILTER (WHERE (dossier.status IN (9::SMALLINT, 10::SMALLINT) OR dossier.status IS NULL)
  AND dossier.finished_at >= dossier.received_at) AS timed, percentile_cont('0.5') WITHIN GROUP (ORDER BY CASE WHEN ((dossier.status IN (9::SMALLINT, 10::SMALLINT) OR dossier.status IS NULL)
  AND dossier.finished_at >= dossier.received_at) THEN EXTRACT(epoch
  FROM dossier.finished_at - dossier.received_at) END) AS median_seconds
FROM dossier
  LEFT OUTER JOIN unnest(['d1', 'p9', …, 'u3']::TEXT[], ['district', 'province', …, 'commune']::TEXT[]) AS anon_1(code, kind) ON dossier.unit = anon_1.code
WHERE dossier.finished_at >= '2024-01-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  AND dossier.finished_at < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  AND dossier.received_at < '2024-06-01T00:00:00+00:00'::TIMESTAMP WITH TIME ZONE
  GROUP BY by_unit_kind;

-- stock
SELECT anon_1.kind AS by_unit_kind, count(*) AS open, count(*) FILTER (WHERE dossier.due_at IS NULL) AS open_no_due, count(*) FILTER (WHERE dossier.due_at >= '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  AND coalesce(dossier.supplements, 0::INTEGER) <= 1::SMALLINT) AS open_in_term_766
FROM dossier
  LEFT OUTER JOIN unnest(['d1', 'p9', …, 'u3']::TEXT[], ['district', 'province', …, 'commune']::TEXT[]) AS anon_1(code, kind) ON dossier.unit = anon_1.code
WHERE dossier.received_at < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  AND (dossier.finished_at IS NULL OR dossier.finished_at >= '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE)
  AND (dossier.finished_at IS NOT NULL OR dossier.status IS NULL OR (dossier.status NOT IN (3::SMALLINT, 7::SMALLINT, 8::SMALLINT, 9::SMALLINT, 10::SMALLINT)))
  GROUP BY by_unit_kind;
