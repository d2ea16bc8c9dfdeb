-- cells
SELECT unit_cell.unit AS by_unit, width_bucket(unit_cell.start, ['2024-01-01', '2024-02-01', '2024-03-01']::DATE[]) AS bucket, coalesce(sum(unit_cell.resolved_early), 0::INTEGER) AS resolved_early, coalesce(sum(unit_cell.resolved_late), 0::INTEGER) AS resolved_late, coalesce(sum(unit_cell.resolved_no_due), 0::INTEGER) AS resolved_no_due, coalesce(sum(unit_cell.resolved_on_time), 0::INTEGER) AS resolved_on_time
FROM unit_cell
WHERE unit_cell.step = 'h'::VARCHAR
  AND unit_cell.start >= '2024-01-01'::DATE
  AND unit_cell.start < '2024-04-01'::DATE
  GROUP BY by_unit, bucket;

-- levels
SELECT unit_cell.unit AS by_unit, width_bucket(unit_cell.start, ['2024-01-01', '2024-02-01', '2024-03-01', '2024-04-01']::DATE[]) + 1::INTEGER AS bucket, coalesce(sum(unit_cell.open_in), 0::INTEGER) AS open_in, coalesce(sum(unit_cell.open_out), 0::INTEGER) AS open_out, coalesce(sum(unit_cell.overdue_in), 0::INTEGER) AS overdue_in, coalesce(sum(unit_cell.overdue_out), 0::INTEGER) AS overdue_out
FROM unit_cell
WHERE unit_cell.step = 'h'::VARCHAR
  AND unit_cell.start < '2024-01-01'::DATE OR unit_cell.step = 'h'::VARCHAR
  AND unit_cell.start >= '2024-01-01'::DATE
  AND unit_cell.start < '2024-04-01'::DATE
  GROUP BY by_unit, bucket;
