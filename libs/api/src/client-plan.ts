import { MusterError } from '@muster/base/errors';
import { type RequestOptions, type Transport, errorOfProblem } from './client-transport.ts';
import type { PlanInput, PlanLine, PlanResult } from './plan.ts';

/** Asks for a plan and reads its stream of lines to the end. @throws MusterError, also when the stream breaks off. */
export async function planWithProgress(
  http: Transport,
  body: PlanInput,
  say: (progress: string) => void,
  options?: RequestOptions,
): Promise<PlanResult> {
  const headers = { accept: 'application/x-ndjson' };
  const response = await http.send('POST', '/api/v1/plan', { body, headers, ...options });
  const brokenOff = (cause?: unknown) =>
    new MusterError('unavailable', `${http.name} broke the plan off`, { cause });
  let rest = '';
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) {
      rest += decoder.decode(chunk as Uint8Array, { stream: true });
      const lines = rest.split('\n');
      rest = lines.pop()!;
      for (const text of lines.filter((one) => one !== '')) {
        const line = JSON.parse(text) as PlanLine;
        if ('result' in line) return line.result;
        if ('problem' in line) throw errorOfProblem(line.problem, line.problem.status);
        say(line.progress);
      }
    }
  } catch (thrown) {
    options?.signal?.throwIfAborted();
    http.options.signal?.throwIfAborted();
    throw thrown instanceof MusterError ? thrown : brokenOff(thrown);
  }
  throw brokenOff();
}
