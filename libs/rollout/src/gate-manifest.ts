import { RE2JS } from 're2js';
import type { WrittenApproval, WrittenGate } from './gate-document.ts';
import { parseJsonPath } from './json-path.ts';
import type {
  ApprovalCheck,
  BodyCheck,
  Condition,
  Gate,
  GateCheck,
  HttpCheck,
  Probe,
  PrometheusCheck,
} from './policy.ts';
import { unknownPlaceholders } from './query-text.ts';

type Found = (field: string, problem: string) => void;

/** Reads a gate of a stage that soaks for so long, and says what is wrong with it; undefined: it is none. */
export function readGate(
  written: WrittenGate,
  soakMs: number,
  at: string,
  found: string[],
): Gate | undefined {
  const say: Found = (field, problem) => void found.push(`${at}${field}: ${problem}`);
  const checks = checksOf(written, say);
  const [check] = checks;
  if (!check || checks.length > 1) {
    say('', 'exactly one of approval, windows, prometheus, http and job is needed');
    return undefined;
  }
  const early = check.kind === 'approval' || check.kind === 'windows';
  const when = written.at ?? (early ? 'entry' : 'end');
  if (check.kind === 'prometheus' && when === 'entry')
    say('.at', 'a prometheus gate is judged over the soak, so it is at the end');
  if (check.kind === 'http' && when === 'entry') {
    if (written.http?.over === 'soak') say('.at', 'what is judged over the soak is at the end');
    check.over = 'once';
  }
  checkDelay(check, soakMs, (problem) => say(`.${check.kind}.initialDelay`, problem));
  if (written.job?.absent !== undefined && when === 'end')
    say('.job.absent', 'is of a gate at the entry: at the end every cluster holds the Application');
  return { name: written.name, at: when, ...check };
}

/** Where nothing soaks for as long as that, nothing would be measured in time. */
function checkDelay(check: GateCheck, soakMs: number, say: (problem: string) => void): void {
  if (!('initialDelayMs' in check) || check.initialDelayMs === undefined) return;
  if (check.kind === 'http' && check.over === 'once') return say('is of what is measured over the soak');
  if (check.initialDelayMs > soakMs)
    say('is longer than the soak of the stage, so that it would be over first');
}

export function readApproval({ groups, count, expires }: WrittenApproval): ApprovalCheck {
  return { kind: 'approval', groups, count, expiresMs: expires };
}

function checksOf({ approval, windows, prometheus, http, job }: WrittenGate, say: Found): GateCheck[] {
  const checks: GateCheck[] = [];
  if (approval) checks.push(readApproval(approval));
  if (windows) checks.push({ kind: 'windows', windows });
  if (prometheus) checks.push(readPrometheus(prometheus, say));
  if (http) checks.push(readHttp(http, say));
  if (job) {
    checkJob(job.manifest, (field, problem) => say(`.job.manifest${field}`, problem));
    checks.push({
      kind: 'job',
      manifest: job.manifest,
      run: job.run,
      timeoutMs: job.deadline,
      absent: job.absent ?? 'unknown',
    });
  }
  return checks;
}

function probeOf(written: {
  interval: number;
  failures: number;
  successes: number;
  timeout: number;
  deadline: number;
  initialDelay?: number | undefined;
}): Probe {
  const { interval, failures, successes, timeout, deadline, initialDelay } = written;
  const probe = { intervalMs: interval, failures, successes, answerMs: timeout, timeoutMs: deadline };
  return initialDelay ? { ...probe, initialDelayMs: initialDelay } : probe;
}

function readPrometheus(written: NonNullable<WrittenGate['prometheus']>, say: Found): PrometheusCheck {
  const { query, condition, min, max, from, service, noData } = written;
  const conditions: Condition[] = [];
  if (condition !== undefined) conditions.push(readCondition(condition));
  if (min !== undefined) conditions.push({ operator: '>=', value: min });
  if (max !== undefined) conditions.push({ operator: '<=', value: max });
  if (conditions.length === 0) say('.prometheus', 'a condition, a min or a max is needed');
  for (const name of unknownPlaceholders(query))
    say('.prometheus.query', `"{{${name}}}" is no placeholder that a query may have`);
  if (service !== undefined && from === 'hub')
    say('.prometheus.service', 'is of a cluster; the one of the hub is in its settings');
  return {
    kind: 'prometheus',
    query,
    conditions,
    from,
    service: service ?? null,
    noData,
    ...probeOf(written),
  };
}

function readCondition(written: string): Condition {
  const [, operator, value] = /^([<>=!]=?)\s*(.*)$/.exec(written)!;
  return { operator: operator as Condition['operator'], value: Number(value) };
}

function readHttp(written: NonNullable<WrittenGate['http']>, say: Found): HttpCheck {
  const { url, method, statuses, headersFrom, over } = written;
  if (written.body && method === 'HEAD') say('.http.body', 'an answer to HEAD has none');
  return {
    kind: 'http',
    url,
    method,
    statuses: statuses ?? [{ from: 200, to: 200 }],
    body: written.body ? readBody(written.body, say) : null,
    headersFrom: headersFrom ?? null,
    over: over ?? 'soak',
    ...probeOf(written),
  };
}

function readBody(written: NonNullable<NonNullable<WrittenGate['http']>['body']>, say: Found): BodyCheck {
  const { json, equals, matches } = written;
  if ((equals === undefined) === (matches === undefined))
    say('.http.body', 'exactly one of equals and matches is needed');
  if (equals !== undefined && json === undefined) say('.http.body', 'equals is of a json path');
  if (json !== undefined && !parseJsonPath(json))
    say('.http.body.json', `${JSON.stringify(json)} is no path such as $.status or $.checks[0].ok`);
  if (matches !== undefined && !compiles(matches))
    say('.http.body.matches', 'is no regular expression of RE2');
  return { json: json ?? null, equals, matches: matches ?? null };
}

function compiles(expression: string): boolean {
  try {
    RE2JS.compile(expression);
    return true;
  } catch {
    return false;
  }
}

const record = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;

/** Only what would make it something else than one Job that runs once; the API server judges the rest. */
function checkJob(manifest: Record<string, unknown>, say: Found): void {
  if (manifest.apiVersion !== 'batch/v1') say('.apiVersion', 'is not batch/v1');
  if (manifest.kind !== 'Job') say('.kind', 'is not Job');
  const spec = record(manifest.spec);
  if (!record(record(spec?.template)?.spec)) say('.spec.template.spec', 'a Job needs one');
  if (spec?.suspend) say('.spec.suspend', 'it would never run');
  const metadata = record(manifest.metadata);
  if (metadata?.generateName !== undefined || metadata?.name !== undefined)
    say('.metadata.name', 'the name is made by the hub, so that it never runs twice');
  if (metadata?.namespace !== undefined && typeof metadata.namespace !== 'string')
    say('.metadata.namespace', 'is no text');
}
