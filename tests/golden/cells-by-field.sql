-- cells
SELECT procedure.field_code AS by_field, coalesce(sum(kind_cell.received_known), 0::INTEGER) AS received_known, coalesce(sum(kind_cell.received_online), 0::INTEGER) AS received_online
FROM kind_cell
  LEFT OUTER JOIN procedure ON procedure.code = kind_cell.procedure
WHERE kind_cell.step = 'h'::VARCHAR
  AND kind_cell.start >= '2024-01-01'::DATE
  AND kind_cell.start < '2024-04-01'::DATE
  AND procedure.online_level IN (4::SMALLINT)
  GROUP BY by_field;
