import { readFile } from 'node:fs/promises';
import { MusterError } from '@muster/base';
import { globMatches } from '@muster/kube';
import type { PrometheusQuery } from '@muster/proto/records';
import { request } from 'undici';

/** Which Prometheus gates may have the agent ask, as whoever installed it says. */
export interface PrometheusAccess {
  /** '' when there is none. */
  url: string;
  /** File with a bearer token for that one; ''. */
  tokenFile: string;
  /** Globs over "namespace/name:port" of Services that a policy may name. */
  services: readonly string[];
}

/** The answer as far as gates look at it; what else Prometheus tells of itself stays in the cluster. */
export interface PrometheusAnswer {
  status: 'success' | 'error';
  error?: string;
  data?: { resultType: unknown; result: unknown };
}

const MAX_ANSWER = 1024 * 1024;
const MAX_TIMEOUT_MS = 60_000;

/** Asks a Prometheus inside the cluster. Throws MusterError for what is no answer of one. */
export async function askPrometheus(
  access: PrometheusAccess,
  { query, service, timeoutMs }: PrometheusQuery,
  signal: AbortSignal,
): Promise<PrometheusAnswer> {
  const { base, headers } = await addressOf(access, service);
  const limit = Math.min(timeoutMs || 10_000, MAX_TIMEOUT_MS);
  const late = AbortSignal.timeout(limit);
  try {
    const response = await request(`${base.replace(/\/+$/, '')}/api/v1/query`, {
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/x-www-form-urlencoded',
        'user-agent': 'muster-agent',
      },
      body: new URLSearchParams({ query, timeout: `${limit}ms` }).toString(),
      signal: AbortSignal.any([signal, late]),
    });
    return answerOf(response.statusCode, await readBounded(response.body));
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof MusterError) throw thrown;
    const reason = late.aborted ? `no answer within ${limit / 1000} s` : wordOf(thrown);
    throw new MusterError('unavailable', `Prometheus cannot be asked: ${reason}`);
  }
}

async function addressOf(
  { url, tokenFile, services }: PrometheusAccess,
  service: string,
): Promise<{ base: string; headers: Record<string, string> }> {
  if (service !== '') {
    const found = /^([a-z0-9][-a-z0-9]*)\/([a-z0-9][-a-z0-9]*):(\d{1,5})$/.exec(service);
    if (!found || !services.some((glob) => globMatches(glob, service)))
      throw new MusterError('forbidden', `the agent of this cluster may not ask ${service}`, {
        hint: 'prometheus.services of its chart lists what it may (MUSTER_AGENT_PROMETHEUS_SERVICES)',
      });
    return { base: `http://${found[2]}.${found[1]}.svc:${found[3]}`, headers: {} };
  }
  if (url === '')
    throw new MusterError('precondition', 'the agent of this cluster is set to no Prometheus', {
      hint: 'prometheus.url of its chart (MUSTER_AGENT_PROMETHEUS_URL)',
    });
  if (tokenFile === '') return { base: url, headers: {} };
  const token = await readFile(tokenFile, 'utf8').catch(() => {
    throw new MusterError('precondition', 'the token for Prometheus cannot be read');
  });
  return { base: url, headers: { authorization: `Bearer ${token.trim()}` } };
}

async function readBounded(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_ANSWER)
      throw new MusterError('limit', `the answer of Prometheus is longer than ${MAX_ANSWER} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Refusals come as JSON too, with codes of 4xx and 5xx. */
function answerOf(code: number, text: string): PrometheusAnswer {
  let parsed: { status?: unknown; error?: unknown; data?: { resultType?: unknown; result?: unknown } };
  try {
    parsed = JSON.parse(text) as typeof parsed;
  } catch {
    throw new MusterError('unavailable', `Prometheus answered ${code}, and no JSON`);
  }
  if (parsed?.status === 'success')
    return { status: 'success', data: { resultType: parsed.data?.resultType, result: parsed.data?.result } };
  const error = typeof parsed?.error === 'string' ? parsed.error.slice(0, 500) : `it answered ${code}`;
  return { status: 'error', error };
}

/** Codes of sockets; messages may repeat what was sent. */
function wordOf(thrown: unknown): string {
  const { code, errors } = (thrown ?? {}) as { code?: string; errors?: { code?: string }[] };
  return code ?? errors?.[0]?.code ?? 'no connection';
}
