/** Statements that only look, and table functions that reach beyond ClickHouse: into files, programs and the network. */
const LOOKS = /^\s*\(?\s*(select|with|show|desc|describe|explain|exists)\b/i;
const REACHES_OUT = /\b(file|fileCluster|url|urlCluster|executable|s3|s3Cluster|gcs|hdfs|azureBlobStorage|remote|remoteSecure|cluster|mysql|postgresql|mongodb|redis|sqlite|jdbc|odbc|python|deltaLake|iceberg|hudi)\s*\(/i;

/** Text in quotes reaches nowhere and sets nothing. */
const withoutText = (query: string): string => query.replace(/'(?:[^'\\]|\\.|'')*'/g, "''");

/** Why a statement is refused to those who may only ask; undefined when it is not. */
export function refusalOf(query: string): string | undefined {
  if (!LOOKS.test(query)) return 'Only SELECT, WITH, SHOW, DESCRIBE, EXPLAIN and EXISTS are answered here; maintenance is done with "millrace sql --write".';
  const unquoted = withoutText(query);
  if (REACHES_OUT.test(unquoted)) return 'Table functions that read files, programs or other servers are refused.';
  if (/;\s*\S/.test(unquoted)) return 'One statement at a time.';
  if (/\binto\s+outfile\b/i.test(unquoted)) return 'INTO OUTFILE is refused.';
  return undefined;
}

const BOUNDED = /^\s*\(?\s*(select|with)\b/i;

/** What a statement may take if it says nothing of it, and at most if it does. */
const LIMITS: Readonly<Record<string, { readonly usual: number; readonly most: number }>> = {
  max_execution_time: { usual: 20, most: 120 },
  max_result_rows: { usual: 100_000, most: 10_000_000 },
  max_result_bytes: { usual: 2 ** 26, most: 2 ** 28 },
};

/**
 * The same question with an end: an answer is held in memory by the process that takes clicks, and in the in-process ClickHouse one statement
 * waits for the other and none can be called off. What it sets itself is kept up to a ceiling; 0, which is no limit, is the ceiling.
 */
export function bounded(query: string): string {
  const text = query.replace(/[\s;]+$/, '');
  if (!BOUNDED.test(text)) return query;
  const said = withoutText(text).replace(/--.*|\/\*[^]*?\*\//g, ' ');
  const limits = Object.entries(LIMITS).map(([name, { usual, most }]) => {
    const own = Math.min(...Array.from(said.matchAll(new RegExp(`\\b${name}\\s*=\\s*([\\d.]+(?:e\\d+)?)`, 'gi')), ([, value]) => Number(value) || most));
    return `${name} = ${own === Infinity ? usual : Math.min(own, most)}`;
  });
  // On a line of its own, since what comes before may end in a comment; behind FORMAT, where settings rule over those before it.
  const end = /\bformat\s+\w+\s+settings\b[^)]*$/i.test(said) ? ', ' : /\bformat\s+\w+\s*$/i.test(said) ? 'SETTINGS ' : 'FORMAT JSONEachRow SETTINGS ';
  return `${text}\n${end}${limits.join(', ')}, result_overflow_mode = 'throw'`;
}

/**
 * What a limit that was met means, in words that name it as ClickHouse does: it may be of this process, of the statement's own SETTINGS or of
 * the server. Undefined for any other error.
 */
export function limitMet({ message }: Error): string | undefined {
  const time = /elapsed [\d.]+ (?:ms|seconds), maximum: ([\d.]+)( ms)?/.exec(message);
  if (time) return `This takes longer than ${Number(time[1]) / (time[2] ? 1_000 : 1)} seconds: ask for less at a time, or set max_execution_time in SETTINGS.`;
  const size = /Limit for result exceeded, max (rows|bytes): ([\d.]+(?: [A-Za-z]+)?)/.exec(message);
  if (size) return `This answer has more than ${short(size[2])}${size[1] === 'rows' ? ' rows' : ''}: aggregate, add a LIMIT, or set max_result_${size[1]} in SETTINGS.`;
  const memory = /query\)?(?: memory limit)? exceeded: .*maximum: ([\d.]+ \w+)/i.exec(message);
  if (memory) return `This needs more memory than ${short(memory[1])}: ask for less at a time, or set max_memory_usage in SETTINGS.`;
  const sleep = /The maximum sleep time is [^.(]+/.exec(message);
  if (sleep) return `${sleep[0].trim()}.`;
  const speed = /((?:Estimated query execution time|Query is executing too slow).*?)(?:: While | \(TOO_SLOW|\.?$)/.exec(message);
  return speed ? `This is too slow for what was set: ${speed[1]}. Ask for less at a time, or set max_estimated_execution_time or min_execution_speed in SETTINGS.` : undefined;
}

/** `100.00 thousand` says no more than `100 thousand`. */
const short = (amount: string): string => amount.replace(/\.?0+(?= |$)/, '');
