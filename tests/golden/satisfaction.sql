-- answers
SELECT width_bucket(survey_answer.answered_at, ['2024-01-01T00:00:00+07:00', '2024-01-02T00:00:00+07:00', …, '2024-03-31T00:00:00+07:00']::TIMESTAMP WITH TIME ZONE[]) AS bucket, count(*) FILTER (WHERE survey_answer.scale = 'three_level'::VARCHAR
  AND survey_answer.satisfied IS NOT NULL) AS answered_three, count(*) FILTER (WHERE survey_answer.scale = 'three_level'::VARCHAR
  AND survey_answer.satisfied IS true) AS satisfied_three
FROM survey_answer
  LEFT OUTER JOIN unnest(['d1', 'p9', …, 'u3']::TEXT[], ['district', 'province', …, 'commune']::TEXT[]) AS anon_1(code, kind) ON survey_answer.unit = anon_1.code
WHERE survey_answer.answered_at >= '2024-01-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  AND survey_answer.answered_at < '2024-04-01T00:00:00+07:00'::TIMESTAMP WITH TIME ZONE
  AND anon_1.kind IN ('commune'::VARCHAR)
  GROUP BY bucket;
