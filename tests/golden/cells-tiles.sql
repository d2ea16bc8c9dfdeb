-- cells
SELECT coalesce(sum(unit_cell.closed_without_result), 0::INTEGER) AS closed_without_result, coalesce(sum(unit_cell.received), 0::INTEGER) AS received, coalesce(sum(unit_cell.resolved_early), 0::INTEGER) AS resolved_early, coalesce(sum(unit_cell.resolved_late), 0::INTEGER) AS resolved_late, coalesce(sum(unit_cell.resolved_no_due), 0::INTEGER) AS resolved_no_due, coalesce(sum(unit_cell.resolved_on_time), 0::INTEGER) AS resolved_on_time
FROM unit_cell
WHERE unit_cell.step = 'h'::VARCHAR
  AND unit_cell.start >= '2024-01-01'::DATE
  AND unit_cell.start < '2024-04-01'::DATE;

-- levels
SELECT width_bucket(unit_cell.start, ['2024-01-01', '2024-04-01']::DATE[]) + 1::INTEGER AS bucket, coalesce(sum(unit_cell.open_in), 0::INTEGER) AS open_in, coalesce(sum(unit_cell.open_out), 0::INTEGER) AS open_out, coalesce(sum(unit_cell.overdue_in), 0::INTEGER) AS overdue_in, coalesce(sum(unit_cell.overdue_out), 0::INTEGER) AS overdue_out
FROM unit_cell
WHERE unit_cell.step = 'h'::VARCHAR
  AND unit_cell.start < '2024-01-01'::DATE OR unit_cell.step = 'h'::VARCHAR
  AND unit_cell.start >= '2024-01-01'::DATE
  AND unit_cell.start < '2024-04-01'::DATE
  GROUP BY bucket;

-- stock
SELECT count(*) FILTER (WHERE dossier.due_at >= '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  AND dossier.due_at <= '2024-04-01T10:00:00+00:00'::TIMESTAMP WITH TIME ZONE) AS due_soon_8h
FROM dossier
WHERE dossier.received_at < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  AND dossier.finished_at IS NULL
  AND (dossier.status IS NULL OR (dossier.status NOT IN (3::SMALLINT, 7::SMALLINT, 8::SMALLINT, 9::SMALLINT, 10::SMALLINT)));
