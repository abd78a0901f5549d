/** Statements that only look, and table functions that reach beyond ClickHouse: into files, programs and the network. */
const LOOKS = /^\s*\(?\s*(select|with|show|desc|describe|explain|exists)\b/i;
const REACHES_OUT = /\b(file|fileCluster|url|urlCluster|executable|s3|s3Cluster|gcs|hdfs|azureBlobStorage|remote|remoteSecure|cluster|mysql|postgresql|mongodb|redis|sqlite|jdbc|odbc|python|deltaLake|iceberg|hudi)\s*\(/i;

/** Why a statement is refused to those who may only ask; undefined when it is not. */
export function refusalOf(query: string): string | undefined {
  if (!LOOKS.test(query)) return 'Only SELECT, WITH, SHOW, DESCRIBE, EXPLAIN and EXISTS are answered here; maintenance is done with "millrace sql --write".';
  // Text in quotes reaches nowhere.
  const unquoted = query.replace(/'(?:[^'\\]|\\.|'')*'/g, "''");
  if (REACHES_OUT.test(unquoted)) return 'Table functions that read files, programs or other servers are refused.';
  if (/;\s*\S/.test(unquoted)) return 'One statement at a time.';
  if (/\binto\s+outfile\b/i.test(unquoted)) return 'INTO OUTFILE is refused.';
  return undefined;
}
