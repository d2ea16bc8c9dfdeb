-- closing
WITH working AS MATERIALIZED
(SELECT [0, 0, …, 146448000]::BIGINT[] AS before_0)
 SELECT anon_1.kind AS by_unit_kind, count(*) FILTER (WHERE (dossier.status IN (9::SMALLINT, 10::SMALLINT) OR dossier.status IS NULL OR dossier.status IN (3::SMALLINT, 7::SMALLINT, 8::SMALLINT))
  AND (dossier.due_at IS NOT NULL OR coalesce(procedure.statutory_time IS NOT NULL
  AND procedure.statutory_unit IS NOT NULL, 0))) AS ended_judged, count(*) FILTER (WHERE (dossier.status IN (9::SMALLINT, 10::SMALLINT) OR dossier.status IS NULL OR dossier.status IN (3::SMALLINT, 7::SMALLINT, 8::SMALLINT))
  AND CASE WHEN (dossier.due_at IS NOT NULL) THEN dossier.finished_at - make_interval(0::INTEGER, 0::INTEGER, 0::INTEGER, 0::INTEGER, 0::INTEGER, 0::INTEGER, coalesce(dossier.paused_seconds, 0::INTEGER)) <= dossier.due_at ELSE CASE WHEN (procedure.statutory_unit IN ('hour'::VARCHAR, 'working_day'::VARCHAR)) THEN (CASE WHEN (dossier.finished_at IS NOT NULL) THEN (SELECT working.before_0
FROM working)[(greatest(CAST(CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.finished_at) AS DATE) - '2005-01-01'::DATE AS INTEGER), 0::INTEGER) + 1::INTEGER)] + CASE WHEN ((SELECT working.before_0
FROM working)[(greatest(CAST(CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.finished_at) AS DATE) - '2005-01-01'::DATE AS INTEGER), 0::INTEGER) + 1::INTEGER + 1::INTEGER)] > (SELECT working.before_0
FROM working)[(greatest(CAST(CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.finished_at) AS DATE) - '2005-01-01'::DATE AS INTEGER), 0::INTEGER) + 1::INTEGER)]) THEN CAST(0::BIGINT AS BIGINT) + least(greatest(CAST(EXTRACT(epoch
  FROM timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.finished_at) - CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.finished_at) AS DATE)) AS BIGINT) - 25200::BIGINT, 0::INTEGER), 16200::INTEGER) + least(greatest(CAST(EXTRACT(epoch
  FROM timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.finished_at) - CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.finished_at) AS DATE)) AS BIGINT) - 48600::BIGINT, 0::INTEGER), 12600::INTEGER) ELSE 0::INTEGER END END - CASE WHEN (dossier.received_at IS NOT NULL) THEN (SELECT working.before_0
FROM working)[(greatest(CAST(CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.received_at) AS DATE) - '2005-01-01'::DATE AS INTEGER), 0::INTEGER) + 1::INTEGER)] + CASE WHEN ((SELECT working.before_0
FROM working)[(greatest(CAST(CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.received_at) AS DATE) - '2005-01-01'::DATE AS INTEGER), 0::INTEGER) + 1::INTEGER + 1::INTEGER)] > (SELECT working.before_0
FROM working)[(greatest(CAST(CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.received_at) AS DATE) - '2005-01-01'::DATE AS INTEGER), 0::INTEGER) + 1::INTEGER)]) THEN CAST(0::BIGINT AS BIGINT) + least(greatest(CAST(EXTRACT(epoch
  FROM timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.received_at) - CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.received_at) AS DATE)) AS BIGINT) - 25200::BIGINT, 0::INTEGER), 16200::INTEGER) + least(greatest(CAST(EXTRACT(epoch
  FROM timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.received_at) - CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.received_at) AS DATE)) AS BIGINT) - 48600::BIGINT, 0::INTEGER), 12600::INTEGER) ELSE 0::INTEGER END END) - coalesce(dossier.paused_seconds, 0::INTEGER) <= CASE WHEN (procedure.statutory_unit = 'working_day'::VARCHAR) THEN procedure.statutory_time * '8.0' ELSE procedure.statutory_time END * 3600::INTEGER ELSE dossier.finished_at - make_interval(0::INTEGER, 0::INTEGER, 0::INTEGER, 0::INTEGER, 0::INTEGER, 0::INTEGER, coalesce(dossier.paused_seconds, 0::INTEGER)) <= timezone('Asia/Ho_Chi_Minh'::VARCHAR, CASE WHEN (procedure.statutory_unit = 'month'::VARCHAR) THEN timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.received_at) + make_interval(0::INTEGER, CAST(floor(procedure.statutory_time) AS INTEGER)) + make_interval(0::INTEGER, 0::INTEGER, 0::INTEGER, CAST(round((procedure.statutory_time - floor(procedure.statutory_time)) * 30::INTEGER) AS INTEGER)) ELSE timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.received_at) + make_interval(0::INTEGER, 0::INTEGER, 0::INTEGER, 0::INTEGER, 0::INTEGER, 0::INTEGER, procedure.statutory_time * 86400::INTEGER) END) END END) AS ended_in_term, count(*) FILTER (WHERE (dossier.status IN (9::SMALLINT, 10::SMALLINT) OR dossier.status IS NULL)
  AND dossier.finished_at >= dossier.received_at) AS timed, percentile_cont('0.5') WITHIN GROUP (ORDER BY CASE WHEN ((dossier.status IN (9::SMALLINT, 10::SMALLINT) OR dossier.status IS NULL)
  AND dossier.finished_at >= dossier.received_at) THEN EXTRACT(epoch
  FROM dossier.finished_at - dossier.received_at) END) AS median_seconds
FROM dossier
  LEFT OUTER JOIN procedure ON procedure.code = dossier.procedure
  LEFT OUTER JOIN unnest(['d1', 'p9', …, 'u3']::TEXT[], ['district', 'province', …, 'commune']::TEXT[]) AS anon_1(code, kind) ON dossier.unit = anon_1.code
WHERE dossier.finished_at >= '2024-01-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  AND dossier.finished_at < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  AND dossier.received_at < '2024-06-01T00:00:00+00:00'::TIMESTAMP WITH TIME ZONE
  GROUP BY by_unit_kind;

-- stock
WITH working AS MATERIALIZED
(SELECT [0, 0, …, 146448000]::BIGINT[] AS before_0)
 SELECT anon_1.kind AS by_unit_kind, count(*) FILTER (WHERE dossier.due_at IS NOT NULL OR coalesce(procedure.statutory_time IS NOT NULL
  AND procedure.statutory_unit IS NOT NULL, 0)) AS open_judged_766, count(*) FILTER (WHERE coalesce(dossier.supplements, 0::INTEGER) <= 1::SMALLINT
  AND CASE WHEN (dossier.due_at IS NOT NULL) THEN CASE WHEN (CASE WHEN (dossier.status = 5::SMALLINT
  AND dossier.supplements = 1::SMALLINT) THEN dossier.supplement_requested_at END < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE) THEN CASE WHEN (dossier.status = 5::SMALLINT
  AND dossier.supplements = 1::SMALLINT) THEN dossier.supplement_requested_at END ELSE '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE END - make_interval(0::INTEGER, 0::INTEGER, 0::INTEGER, 0::INTEGER, 0::INTEGER, 0::INTEGER, coalesce(dossier.paused_seconds, 0::INTEGER)) <= dossier.due_at ELSE CASE WHEN (procedure.statutory_unit IN ('hour'::VARCHAR, 'working_day'::VARCHAR)) THEN (CASE WHEN (CASE WHEN (CASE WHEN (dossier.status = 5::SMALLINT
  AND dossier.supplements = 1::SMALLINT) THEN dossier.supplement_requested_at END < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE) THEN CASE WHEN (dossier.status = 5::SMALLINT
  AND dossier.supplements = 1::SMALLINT) THEN dossier.supplement_requested_at END ELSE '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE END IS NOT NULL) THEN (SELECT working.before_0
FROM working)[(greatest(CAST(CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, CASE WHEN (CASE WHEN (dossier.status = 5::SMALLINT
  AND dossier.supplements = 1::SMALLINT) THEN dossier.supplement_requested_at END < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE) THEN CASE WHEN (dossier.status = 5::SMALLINT
  AND dossier.supplements = 1::SMALLINT) THEN dossier.supplement_requested_at END ELSE '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE END) AS DATE) - '2005-01-01'::DATE AS INTEGER), 0::INTEGER) + 1::INTEGER)] + CASE WHEN ((SELECT working.before_0
FROM working)[(greatest(CAST(CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, CASE WHEN (CASE WHEN (dossier.status = 5::SMALLINT
  AND dossier.supplements = 1::SMALLINT) THEN dossier.supplement_requested_at END < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE) THEN CASE WHEN (dossier.status = 5::SMALLINT
  AND dossier.supplements = 1::SMALLINT) THEN dossier.supplement_requested_at END ELSE '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE END) AS DATE) - '2005-01-01'::DATE AS INTEGER), 0::INTEGER) + 1::INTEGER + 1::INTEGER)] > (SELECT working.before_0
FROM working)[(greatest(CAST(CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, CASE WHEN (CASE WHEN (dossier.status = 5::SMALLINT
  AND dossier.supplements = 1::SMALLINT) THEN dossier.supplement_requested_at END < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE) THEN CASE WHEN (dossier.status = 5::SMALLINT
  AND dossier.supplements = 1::SMALLINT) THEN dossier.supplement_requested_at END ELSE '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE END) AS DATE) - '2005-01-01'::DATE AS INTEGER), 0::INTEGER) + 1::INTEGER)]) THEN CAST(0::BIGINT AS BIGINT) + least(greatest(CAST(EXTRACT(epoch
  FROM timezone('Asia/Ho_Chi_Minh'::VARCHAR, CASE WHEN (CASE WHEN (dossier.status = 5::SMALLINT
  AND dossier.supplements = 1::SMALLINT) THEN dossier.supplement_requested_at END < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE) THEN CASE WHEN (dossier.status = 5::SMALLINT
  AND dossier.supplements = 1::SMALLINT) THEN dossier.supplement_requested_at END ELSE '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE END) - CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, CASE WHEN (CASE WHEN (dossier.status = 5::SMALLINT
  AND dossier.supplements = 1::SMALLINT) THEN dossier.supplement_requested_at END < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE) THEN CASE WHEN (dossier.status = 5::SMALLINT
  AND dossier.supplements = 1::SMALLINT) THEN dossier.supplement_requested_at END ELSE '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE END) AS DATE)) AS BIGINT) - 25200::BIGINT, 0::INTEGER), 16200::INTEGER) + least(greatest(CAST(EXTRACT(epoch
  FROM timezone('Asia/Ho_Chi_Minh'::VARCHAR, CASE WHEN (CASE WHEN (dossier.status = 5::SMALLINT
  AND dossier.supplements = 1::SMALLINT) THEN dossier.supplement_requested_at END < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE) THEN CASE WHEN (dossier.status = 5::SMALLINT
  AND dossier.supplements = 1::SMALLINT) THEN dossier.supplement_requested_at END ELSE '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE END) - CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, CASE WHEN (CASE WHEN (dossier.status = 5::SMALLINT
  AND dossier.supplements = 1::SMALLINT) THEN dossier.supplement_requested_at END < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE) THEN CASE WHEN (dossier.status = 5::SMALLINT
  AND dossier.supplements = 1::SMALLINT) THEN dossier.supplement_requested_at END ELSE '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE END) AS DATE)) AS BIGINT) - 48600::BIGINT, 0::INTEGER), 12600::INTEGER) ELSE 0::INTEGER END END - CASE WHEN (dossier.received_at IS NOT NULL) THEN (SELECT working.before_0
FROM working)[(greatest(CAST(CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.received_at) AS DATE) - '2005-01-01'::DATE AS INTEGER), 0::INTEGER) + 1::INTEGER)] + CASE WHEN ((SELECT working.before_0
FROM working)[(greatest(CAST(CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.received_at) AS DATE) - '2005-01-01'::DATE AS INTEGER), 0::INTEGER) + 1::INTEGER + 1::INTEGER)] > (SELECT working.before_0
FROM working)[(greatest(CAST(CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.received_at) AS DATE) - '2005-01-01'::DATE AS INTEGER), 0::INTEGER) + 1::INTEGER)]) THEN CAST(0::BIGINT AS BIGINT) + least(greatest(CAST(EXTRACT(epoch
  FROM timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.received_at) - CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.received_at) AS DATE)) AS BIGINT) - 25200::BIGINT, 0::INTEGER), 16200::INTEGER) + least(greatest(CAST(EXTRACT(epoch
  FROM timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.received_at) - CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.received_at) AS DATE)) AS BIGINT) - 48600::BIGINT, 0::INTEGER), 12600::INTEGER) ELSE 0::INTEGER END END) - coalesce(dossier.paused_seconds, 0::INTEGER) <= CASE WHEN (procedure.statutory_unit = 'working_day'::VARCHAR) THEN procedure.statutory_time * '8.0' ELSE procedure.statutory_time END * 3600::INTEGER ELSE CASE WHEN (CASE WHEN (dossier.status = 5::SMALLINT
  AND dossier.supplements = 1::SMALLINT) THEN dossier.supplement_requested_at END < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE) THEN CASE WHEN (dossier.status = 5::SMALLINT
  AND dossier.supplements = 1::SMALLINT) THEN dossier.supplement_requested_at END ELSE '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE END - make_interval(0::INTEGER, 0::INTEGER, 0::INTEGER, 0::INTEGER, 0::INTEGER, 0::INTEGER, coalesce(dossier.paused_seconds, 0::INTEGER)) <= timezone('Asia/Ho_Chi_Minh'::VARCHAR, CASE WHEN (procedure.statutory_unit = 'month'::VARCHAR) THEN timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.received_at) + make_interval(0::INTEGER, CAST(floor(procedure.statutory_time) AS INTEGER)) + make_interval(0::INTEGER, 0::INTEGER, 0::INTEGER, CAST(round((procedure.statutory_time - floor(procedure.statutory_time)) * 30::INTEGER) AS INTEGER)) ELSE timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.received_at) + make_interval(0::INTEGER, 0::INTEGER, 0::INTEGER, 0::INTEGER, 0::INTEGER, 0::INTEGER, procedure.statutory_time * 86400::INTEGER) END) END END) AS open_in_term_766
FROM dossier
  LEFT OUTER JOIN procedure ON procedure.code = dossier.procedure
  LEFT OUTER JOIN unnest(['d1', 'p9', …, 'u3']::TEXT[], ['district', 'province', …, 'commune']::TEXT[]) AS anon_1(code, kind) ON dossier.unit = anon_1.code
WHERE dossier.received_at < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  AND (dossier.finished_at IS NULL OR dossier.finished_at >= '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE)
  AND (dossier.finished_at IS NOT NULL OR dossier.status IS NULL OR (dossier.status NOT IN (3::SMALLINT, 7::SMALLINT, 8::SMALLINT, 9::SMALLINT, 10::SMALLINT)))
  GROUP BY by_unit_kind;
