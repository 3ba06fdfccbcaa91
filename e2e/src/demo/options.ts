import { parseArgs } from 'node:util';
import { MusterError } from '@muster/base';

export interface DemoOptions {
  /** Folder of everything the demo makes. */
  dir: string;
  /** Start over: local control planes are thrown away, the user's own clusters are orphaned, never emptied. */
  reset: boolean;
  /** Contexts of the user's kubeconfig; empty: three local control planes. */
  contexts: string[];
  help: boolean;
}

export const HELP = `npm run demo -- [--reset] [--context NAME …] [--dir FOLDER]

Starts a hub, three real local control planes (dev, staging, prod; nodes and pods by kwok), an agent in each, and a
Git repository with an application, and shows how they follow it. Ctrl-C stops everything; the next run resumes.

  --reset            start over. With --context: lets go of those clusters (what runs there keeps running) and ends.
  --context NAME …   use contexts of your own kubeconfig instead of local control planes; agents run as local processes
  --dir FOLDER       where the demo keeps its things (default .muster/demo)
  --help             this text
`;

/** Reads the command line. Throws MusterError `invalid` that names what it does not know. */
export function readOptions(args: readonly string[], root: string): DemoOptions {
  const spread = args.flatMap((arg, i) => {
    // `--context a b c`: names that follow one another belong to the option.
    const owner = args.slice(0, i).findLast((earlier) => earlier.startsWith('--'));
    return owner === '--context' && !arg.startsWith('--') && args[i - 1] !== '--context'
      ? ['--context', arg]
      : [arg];
  });
  try {
    const { values } = parseArgs({
      args: spread,
      options: {
        reset: { type: 'boolean', default: false },
        context: { type: 'string', multiple: true, default: [] },
        dir: { type: 'string', default: `${root}/.muster/demo` },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return { dir: values.dir, reset: values.reset, contexts: values.context, help: values.help };
  } catch (cause) {
    throw new MusterError('invalid', (cause as Error).message, { hint: 'npm run demo -- --help', cause });
  }
}
