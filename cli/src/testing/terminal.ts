import type { Terminal } from '../terminal.ts';

/** A terminal that remembers what was written; nobody sits at it. */
export interface RecordingTerminal extends Terminal {
  output: string;
  notes: string;
}

export function recordingTerminal(input = ''): RecordingTerminal {
  const terminal: RecordingTerminal = {
    output: '',
    notes: '',
    colour: false,
    interactive: false,
    out: (text) => void (terminal.output += `${text}\n`),
    note: (text) => void (terminal.notes += `${text}\n`),
    stdin: () => Promise.resolve(input),
    ask: () => Promise.reject(new Error('nobody is here')),
    progress: () => ({ update: () => undefined, stop: () => undefined }),
  };
  return terminal;
}
