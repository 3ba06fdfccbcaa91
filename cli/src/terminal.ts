import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** What a command sees of the world in front of it. Tests give their own. */
export interface Terminal {
  /** Writes a line to standard output: results only. */
  out(text: string): void;
  /** Writes a line to standard error: everything that is not the result. */
  note(text: string): void;
  /** Colours may be written to standard output. */
  readonly colour: boolean;
  /** Somebody is there to answer. */
  readonly interactive: boolean;
  stdin(): Promise<string>;
  ask(question: string, options?: { hidden?: boolean }): Promise<string>;
  /** Shows what is being waited for, once it takes longer than a moment. */
  progress(text: string): Progress;
}

export interface Progress {
  update(text: string): void;
  /** Ends it, whatever is shown. Calling again does nothing. */
  stop(): void;
}

/** After so long somebody wonders whether anything happens. */
const SHOW_AFTER_MS = 1200;

/** The process's own streams. */
export function processTerminal(mayColour: boolean): Terminal {
  const { stdin, stdout, stderr } = process;
  const interactive = stdin.isTTY === true && stderr.isTTY === true;
  return {
    out: (text) => void stdout.write(`${text}\n`),
    note: (text) => void stderr.write(`${text}\n`),
    colour: mayColour && stdout.isTTY === true,
    interactive,
    stdin: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of stdin) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString('utf8');
    },
    ask: (question, { hidden = false } = {}) => ask(question, hidden),
    progress: (text) => (stderr.isTTY ? spinner(text) : lines(text, (line) => stderr.write(`${line}\n`))),
  };
}

async function ask(question: string, hidden: boolean): Promise<string> {
  process.stderr.write(question);
  const output = hidden ? new Writable({ write: (_chunk, _encoding, done) => done() }) : process.stderr;
  const reader = createInterface({ input: process.stdin, output, terminal: hidden });
  try {
    return await reader.question('');
  } finally {
    reader.close();
    if (hidden) process.stderr.write('\n');
  }
}

function spinner(text: string): Progress {
  let shown: { text: string; stop(): unknown } | undefined;
  let current = text;
  let stopped = false;
  const timer = setTimeout(async () => {
    const { default: ora } = await import('ora');
    if (!stopped) shown = ora({ text: current, stream: process.stderr, discardStdin: false }).start();
  }, SHOW_AFTER_MS);
  return {
    update: (next) => {
      current = next;
      if (shown) shown.text = next;
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      shown?.stop();
    },
  };
}

/** For logs: each new text once. */
function lines(text: string, write: (line: string) => void): Progress {
  let current = text;
  let written: string | undefined;
  const show = () => {
    if (current !== written) write(current);
    written = current;
  };
  const timer = setInterval(show, SHOW_AFTER_MS);
  return { update: (next) => void (current = next), stop: () => clearInterval(timer) };
}
