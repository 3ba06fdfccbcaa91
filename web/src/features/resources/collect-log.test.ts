import type { LogEvent } from '@muster/api/client';
import { MusterError } from '@muster/base/errors';
import { describe, expect, it } from 'vitest';
import { type LogState, collectLog } from './collect-log.ts';

const line = (text: string): LogEvent => ({
  type: 'line',
  line: { pod: 'web-1', namespace: 'shop', container: 'web', time: '', text },
});

async function collected(events: () => AsyncGenerator<LogEvent>, signal = new AbortController().signal) {
  const states: LogState[] = [];
  await collectLog(events(), signal, (state) => states.push(state));
  return states;
}

describe('a log that is read', () => {
  it('says at its end why it was cut', async () => {
    const states = await collected(async function* () {
      yield line('one');
      yield { type: 'end', end: { cut: 'only 20 containers were read' } };
    });
    expect(states.at(-1)).toMatchObject({ reading: false, cut: 'only 20 containers were read' });
    expect(states.at(-1)!.lines.map(({ text }) => text)).toEqual(['one']);
  });

  it('keeps what was read when the hub refuses or breaks off', async () => {
    const error = new MusterError('unavailable', 'the agent went away');
    const states = await collected(async function* () {
      yield line('one');
      throw error;
    });
    expect(states.at(-1)).toMatchObject({ reading: false, error, lines: [{ text: 'one' }] });
  });

  it('tells nothing more once nobody looks', async () => {
    const gone = new AbortController();
    const states = await collected(async function* () {
      yield line('one');
      gone.abort();
      throw new DOMException('aborted', 'AbortError');
    }, gone.signal);
    expect(states).toEqual([]);
  });
});
