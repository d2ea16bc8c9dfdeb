-- receipt
SELECT count(*) AS received
FROM dossier
WHERE dossier.received_at >= '2024-01-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  AND dossier.received_at < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE;

-- closing
SELECT count(*) FILTER (WHERE (dossier.status IN (9::SMALLINT, 10::SMALLINT) OR dossier.status IS NULL)
  AND dossier.finished_at <= dossier.due_at
  AND NOT (dossier.finished_at > dossier.due_at - '1 day, 2:00:00'
  AND CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.finished_at) AS DATE) = CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.due_at) AS DATE))) AS resolved_early, count(*) FILTER (WHERE (dossier.status IN (9::SMALLINT, 10::SMALLINT) OR dossier.status IS NULL)
  AND dossier.finished_at <= dossier.due_at
  AND dossier.finished_at > dossier.due_at - '1 day, 2:00:00'
  AND CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.finished_at) AS DATE) = CAST(timezone('Asia/Ho_Chi_Minh'::VARCHAR, dossier.due_at) AS DATE)) AS resolved_on_time, count(*) FILTER (WHERE (dossier.status IN (9::SMALLINT, 10::SMALLINT) OR dossier.status IS NULL)
  AND dossier.finished_at > dossier.due_at) AS resolved_late, count(*) FILTER (WHERE (dossier.status IN (9::SMALLINT, 10::SMALLINT) OR dossier.status IS NULL)
  AND dossier.due_at IS NULL) AS resolved_no_due, count(*) FILTER (WHERE dossier.status IN (3::SMALLINT, 7::SMALLINT, 8::SMALLINT)) AS closed_without_result
FROM dossier
WHERE dossier.received_at < '2024-06-01T00:00:00+00:00'::TIMESTAMP WITH TIME ZONE
  AND dossier.finished_at >= '2024-01-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  AND dossier.finished_at < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE;

-- stock
SELECT count(*) AS open, count(*) FILTER (WHERE dossier.due_at < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE) AS overdue
FROM dossier
WHERE dossier.received_at < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  AND (dossier.finished_at IS NULL OR dossier.finished_at >= '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE)
  AND (dossier.finished_at IS NOT NULL OR dossier.status IS NULL OR (dossier.status NOT IN (3::SMALLINT, 7::SMALLINT, 8::SMALLINT, 9::SMALLINT, 10::SMALLINT)));

-- opening
SELECT count(*) AS carried_in
FROM dossier
WHERE dossier.received_at < '2024-01-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  AND (dossier.finished_at IS NULL OR dossier.finished_at >= '2024-01-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE)
  AND (dossier.finished_at IS NOT NULL OR dossier.status IS NULL OR (dossier.status NOT IN (3::SMALLINT, 7::SMALLINT, 8::SMALLINT, 9::SMALLINT, 10::SMALLINT)));
