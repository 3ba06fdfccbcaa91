import { RE2JS } from 're2js';
import { conditionText, statusText } from './gate-words.ts';
import { atJsonPath } from './json-path.ts';
import type { BodyCheck, Condition, HttpCheck, PrometheusCheck, Verdict } from './policy.ts';

/** What a measurement came to. */
export interface Judgement {
  verdict: Verdict;
  /** One sentence, at most 500 characters. */
  detail: string;
}

const MAX_DETAIL = 500;
const MAX_SAMPLES = 1_000;
const SHOWN = 3;

export const judged = (verdict: Verdict, detail: string): Judgement => ({
  verdict,
  detail: detail.length > MAX_DETAIL ? `${detail.slice(0, MAX_DETAIL - 1)}…` : detail,
});

/** Judges an answer. `cut`: only the beginning of its body was read. */
export function judgeHttp(
  check: Pick<HttpCheck, 'statuses' | 'body'>,
  answer: { status: number; body: string; cut: boolean },
): Judgement {
  const { status } = answer;
  if (!check.statuses.some(({ from, to }) => from <= status && status <= to))
    return judged('bad', `it answered ${status}, not ${statusText(check.statuses)}`);
  if (!check.body) return judged('ok', `it answered ${status}`);
  const problem = bodyProblem(check.body, answer);
  return problem
    ? judged('bad', `it answered ${status}, but ${problem}`)
    : judged('ok', `it answered ${status}`);
}

/** What the body says is not repeated: nobody knows what is in it. */
function bodyProblem(
  { json, equals, matches }: BodyCheck,
  { body, cut }: { body: string; cut: boolean },
): string {
  if (json === null)
    return finds(matches!, body) ? '' : `its body does not match${cut ? ' in its beginning' : ''}`;
  if (cut) return 'its body is too long to be read as JSON';
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch {
    return 'its body is no JSON';
  }
  const value = atJsonPath(document, json);
  if (value === undefined) return `its body has no ${json}`;
  if (matches !== null) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return finds(matches, text) ? '' : `${json} does not match`;
  }
  return value === equals ? '' : `${json} is not ${JSON.stringify(equals)}`;
}

function finds(expression: string, text: string): boolean {
  return RE2JS.compile(expression).matcher(text).find();
}

/** The answer of `/api/v1/query`, as far as it is looked at. */
interface PrometheusAnswer {
  status?: unknown;
  error?: unknown;
  data?: { resultType?: unknown; result?: unknown };
}

/** Judges what a Prometheus answered, as its HTTP API writes it: every sample has to meet every condition. */
export function judgePrometheus(
  check: Pick<PrometheusCheck, 'conditions' | 'noData'>,
  answer: unknown,
): Judgement {
  const { status, error, data } = (answer ?? {}) as PrometheusAnswer;
  if (status !== 'success')
    return judged('unknown', `Prometheus refused the query${typeof error === 'string' ? `: ${error}` : ''}`);
  const samples = samplesOf(data);
  if (!samples) return judged('unknown', 'the query answers neither a number nor a vector of them');
  if (samples.length > MAX_SAMPLES)
    return judged('unknown', `the query answers more than ${MAX_SAMPLES} numbers`);
  const numbers = samples.filter(({ value }) => !Number.isNaN(value));
  if (numbers.length === 0) {
    const what = samples.length === 0 ? 'the query answers no data' : 'the query answers NaN';
    return judged(check.noData, what);
  }
  const worse = numbers.filter(({ value }) => !check.conditions.every((one) => meets(value, one)));
  const shown = worse.length > 0 ? worse : numbers;
  const bound = conditionText(check.conditions);
  return worse.length > 0
    ? judged('bad', `${listed(shown, numbers.length)}, not ${bound}`)
    : judged('ok', listed(shown, numbers.length));
}

interface Sample {
  labels: string;
  value: number;
}

function samplesOf(data: PrometheusAnswer['data']): Sample[] | undefined {
  const { resultType, result } = data ?? {};
  if (!Array.isArray(result)) return undefined;
  if (resultType === 'scalar') return [{ labels: '', value: numberOf(result[1]) }];
  if (resultType !== 'vector') return undefined;
  return result.map((one: { metric?: Record<string, unknown>; value?: unknown }) => ({
    labels: labelsOf(one?.metric),
    value: numberOf(Array.isArray(one?.value) ? one.value[1] : undefined),
  }));
}

function labelsOf(metric: Record<string, unknown> | undefined): string {
  const labels = Object.entries(metric ?? {}).filter(([name]) => name !== '__name__');
  return labels.length > 0
    ? `{${labels.map(([name, value]) => `${name}="${String(value)}"`).join(',')}}`
    : '';
}

function numberOf(written: unknown): number {
  if (written === '+Inf' || written === 'Inf') return Number.POSITIVE_INFINITY;
  if (written === '-Inf') return Number.NEGATIVE_INFINITY;
  return typeof written === 'string' && written.trim() !== '' ? Number(written) : Number.NaN;
}

function meets(value: number, { operator, value: bound }: Condition): boolean {
  switch (operator) {
    case '<':
      return value < bound;
    case '<=':
      return value <= bound;
    case '>':
      return value > bound;
    case '>=':
      return value >= bound;
    case '==':
      return value === bound;
    case '!=':
      return value !== bound;
  }
}

function listed(samples: readonly Sample[], all: number): string {
  const texts = samples.slice(0, SHOWN).map(({ labels, value }) => `${value}${labels}`);
  const rest = samples.length - texts.length;
  const of = all > samples.length ? ` (${samples.length} of ${all})` : '';
  return `${texts.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}${of}`;
}

/** One place where something was measured: a cluster, or a target in it. */
export interface PlaceJudgement extends Judgement {
  place: string;
}

/** All places together: bad in one is bad; what is not known of one is not known. */
export function judgePlaces(places: readonly PlaceJudgement[]): Judgement {
  if (places.length === 0) return judged('unknown', 'nothing holds the release there');
  const of = (verdict: Verdict) => places.filter((one) => one.verdict === verdict);
  const verdict = of('bad').length > 0 ? 'bad' : of('unknown').length > 0 ? 'unknown' : 'ok';
  const shown = of(verdict);
  const texts = shown.slice(0, SHOWN).map(({ place, detail }) => `${place}: ${detail}`);
  const rest = shown.length - texts.length;
  return judged(verdict, `${texts.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`);
}
