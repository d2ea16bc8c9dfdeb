-- receipt
SELECT dossier.channel AS by_channel, count(*) FILTER (WHERE dossier.channel IS NOT NULL) AS received_known, count(*) FILTER (WHERE dossier.channel = 2::SMALLINT) AS received_online, count(*) FILTER (WHERE procedure.online_level IN (3::SMALLINT, 4::SMALLINT)
  AND dossier.channel IS NOT NULL) AS eligible, count(*) FILTER (WHERE procedure.online_level IN (3::SMALLINT, 4::SMALLINT)
  AND dossier.channel = 2::SMALLINT) AS eligible_online
FROM dossier
  LEFT OUTER JOIN procedure ON procedure.code = dossier.procedure
WHERE dossier.received_at >= '2024-01-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  AND dossier.received_at < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  GROUP BY by_channel;
