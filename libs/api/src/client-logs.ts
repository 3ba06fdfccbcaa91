import { MusterError } from '@muster/base/errors';
import { type RequestOptions, type Transport, errorOfProblem, queryText } from './client-transport.ts';
import type { Problem } from './errors.ts';
import type { GetLogs, LogEnd, LogLine } from './resources.ts';

/** A line, or (last) why there are no more. */
export type LogEvent = { type: 'line'; line: LogLine } | { type: 'end'; end: LogEnd };

/** Reads a log as it comes. Leaving the loop, or the signal, hangs up. @throws MusterError of the hub or the agent. */
export async function* readLogs(
  http: Transport,
  path: string,
  query: Partial<GetLogs>,
  options: RequestOptions = {},
): AsyncGenerator<LogEvent, void, undefined> {
  const response = await http.send('GET', path + queryText(query), {
    headers: { accept: 'application/x-ndjson, application/json' },
    ...options,
  });
  if (!response.body) throw new MusterError('unavailable', `${http.name} sent no log`);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        for (const signal of [options.signal, http.options.signal]) signal?.throwIfAborted();
        throw new MusterError('unavailable', `${http.name} broke the log off`, { cause });
      });
      if (done) throw new MusterError('unavailable', `${http.name} broke the log off`);
      const texts = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = texts.pop()!;
      for (const text of texts) {
        const event = JSON.parse(text) as { line?: LogLine; end?: LogEnd; problem?: Partial<Problem> };
        if (event.line) yield { type: 'line', line: event.line };
        if (event.problem) throw errorOfProblem(event.problem, event.problem.status ?? 500);
        if (!event.end) continue;
        yield { type: 'end', end: event.end };
        return;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
