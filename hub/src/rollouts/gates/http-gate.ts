import { MusterError } from '@muster/base';
import { type HttpCheck, type Judgement, judgeHttp, judged } from '@muster/rollout';
import type { Config } from '../../config.ts';
import { readHeaders } from './gate-headers.ts';
import { addressRefusal, hostRefusal } from './gate-hosts.ts';
import { callHttp } from './http-call.ts';

const MAX_BODY = 64 * 1024;

/** Asks once, and judges. Who is not there, or does not answer in time, is bad; who may not be asked is unknown. */
export async function measureHttp(
  check: HttpCheck,
  { gateHosts, gateHeadersDir }: Pick<Config, 'gateHosts' | 'gateHeadersDir'>,
  signal: AbortSignal,
): Promise<Judgement> {
  const { url, method, headersFrom, answerMs } = check;
  // The list may have become shorter since the policy was applied.
  const refused = hostRefusal(gateHosts, url);
  if (refused) return judged('unknown', refused);
  try {
    const headers = headersFrom === null ? {} : readHeaders(gateHeadersDir, headersFrom);
    const refusal = (address: string) => addressRefusal(gateHosts, address);
    const call = { url, method, headers, maxBytes: MAX_BODY, timeoutMs: answerMs, refusal };
    return judgeHttp(check, await callHttp(call, signal));
  } catch (thrown) {
    signal.throwIfAborted();
    const { code, message } = MusterError.from(thrown);
    return judged(code === 'unavailable' ? 'bad' : 'unknown', message);
  }
}
