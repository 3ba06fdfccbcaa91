import { readFile } from 'node:fs/promises';
import { MusterError } from '@muster/base';
import {
  type Judgement,
  type PlaceJudgement,
  type PrometheusCheck,
  fillQuery,
  judgePlaces,
  judgePrometheus,
  judged,
} from '@muster/rollout';
import type { AsksService } from '../../asks/asks.service.ts';
import type { Config } from '../../config.ts';
import type { MeasuredTarget } from './gates.repository.ts';
import { callHttp } from './http-call.ts';

const MAX_ANSWER = 1024 * 1024;
/** Questions that are under way at once, for one measurement. */
const AT_ONCE = 16;
/** One measurement takes no longer than this, however many are asked: the rest is not known. */
const ALL_WITHIN_MS = 90_000;
const ACTOR = 'rollout';

type PrometheusConfig = Pick<
  Config,
  'prometheusUrl' | 'prometheusTokenFile' | 'prometheusUser' | 'prometheusPasswordFile' | 'prometheusCaFile'
>;

/** One question, and where its answer is of. */
interface Question {
  place: string;
  query: string;
  target: MeasuredTarget;
}

/** Asks once everywhere, and judges all of it together. */
export async function measurePrometheus(
  check: PrometheusCheck,
  targets: readonly MeasuredTarget[],
  by: { config: PrometheusConfig; asks: AsksService },
  signal: AbortSignal,
): Promise<Judgement> {
  const questions = questionsOf(check, targets);
  const late = AbortSignal.timeout(ALL_WITHIN_MS);
  const until = AbortSignal.any([signal, late]);
  const answers = await eachOf(questions, AT_ONCE, async (question): Promise<PlaceJudgement> => {
    const { place } = question;
    try {
      if (late.aborted) return { place, ...judged('unknown', 'there was no time to ask it') };
      const answer =
        check.from === 'hub'
          ? await askCentral(check, question.query, by.config, until)
          : await askCluster(check, question, by.asks, until);
      return { place, ...judgePrometheus(check, answer) };
    } catch (thrown) {
      signal.throwIfAborted();
      const { message } = MusterError.from(thrown);
      return { place, ...judged('unknown', late.aborted ? 'there was no time to ask it' : message) };
    }
  });
  const [only] = answers;
  return answers.length === 1 && only!.place === ''
    ? judged(only!.verdict, only!.detail)
    : judgePlaces(answers);
}

/** Targets whose questions are the same are asked once; in clusters, once in each. */
function questionsOf({ query, from }: PrometheusCheck, targets: readonly MeasuredTarget[]): Question[] {
  const questions = new Map<string, Question>();
  for (const target of targets) {
    const { cluster, clusterLabels: labels, namespace, name } = target;
    const filled = fillQuery(query, { cluster: { name: cluster, labels }, application: { namespace, name } });
    const key = from === 'hub' ? filled : `${target.clusterId} ${filled}`;
    if (!questions.has(key)) questions.set(key, { place: cluster, query: filled, target });
  }
  const all = [...questions.values()];
  return from === 'hub' && all.length === 1 ? [{ ...all[0]!, place: '' }] : all;
}

async function askCentral(
  { answerMs }: PrometheusCheck,
  query: string,
  config: PrometheusConfig,
  signal: AbortSignal,
): Promise<unknown> {
  const { prometheusUrl, prometheusCaFile } = config;
  if (prometheusUrl === undefined)
    throw new MusterError('precondition', 'the hub has no Prometheus (MUSTER_PROMETHEUS_URL)');
  const call = {
    url: `${prometheusUrl.replace(/\/+$/, '')}/api/v1/query`,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...(await authorization(config)) },
    body: new URLSearchParams({ query, timeout: `${answerMs}ms` }).toString(),
    maxBytes: MAX_ANSWER,
    timeoutMs: answerMs,
    ...(prometheusCaFile === undefined ? {} : { ca: await secret(prometheusCaFile, 'CA') }),
  };
  const { status, body, cut } = await callHttp(call, signal).catch((thrown: unknown) => {
    throw new MusterError('unavailable', `Prometheus cannot be asked: ${MusterError.from(thrown).message}`);
  });
  if (cut) throw new MusterError('limit', `the answer of Prometheus is longer than ${MAX_ANSWER} bytes`);
  return parsed(body, `Prometheus answered ${status}, and no JSON`);
}

async function authorization(config: PrometheusConfig): Promise<Record<string, string>> {
  const { prometheusTokenFile, prometheusUser, prometheusPasswordFile } = config;
  if (prometheusTokenFile !== undefined)
    return { authorization: `Bearer ${(await secret(prometheusTokenFile, 'token')).trim()}` };
  if (prometheusUser === undefined) return {};
  const password =
    prometheusPasswordFile === undefined ? '' : (await secret(prometheusPasswordFile, 'password')).trim();
  return { authorization: `Basic ${Buffer.from(`${prometheusUser}:${password}`).toString('base64')}` };
}

async function secret(file: string, what: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => {
    throw new MusterError('precondition', `the ${what} for Prometheus cannot be read`);
  });
}

async function askCluster(
  { service, answerMs }: PrometheusCheck,
  { query, target }: Question,
  asks: AsksService,
  signal: AbortSignal,
): Promise<unknown> {
  if (!target.target.connected) throw new MusterError('unavailable', 'its agent is silent');
  const request = {
    cluster: { id: target.clusterId, name: target.cluster },
    application: { namespace: target.namespace, name: target.name },
    query: {
      $case: 'prometheus' as const,
      value: { query, service: service ?? '', timeoutMs: answerMs },
    },
    actor: ACTOR,
    maxSeconds: Math.ceil(answerMs / 1000) + 5,
    maxBytes: MAX_ANSWER + 4096,
  };
  const bytes = await asks.whole(request, signal);
  return parsed(bytes.toString('utf8'), 'its agent answered no JSON');
}

function parsed(text: string, otherwise: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MusterError('unavailable', otherwise);
  }
}

/** Works on some at a time; the results are in the order of what they are of. */
async function eachOf<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const one = async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i]!);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, one));
  return results;
}
