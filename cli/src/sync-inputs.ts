import { MusterError } from '@muster/base';
import type { SyncPlanOptions } from '@muster/kube';
import { readDocuments } from './documents.ts';
import { UsageError } from './exit.ts';
import type { Terminal } from './terminal.ts';

/** What `muster sync plan` may be told besides the objects, as it is on the command line. */
export interface SyncFlags {
  namespace?: string;
  /** A file with an Application: its sync options and its destination namespace count. */
  application?: string;
  /** `Name=value`; counts before the Application's option of that name. */
  option?: string[];
  revision?: string;
  /** Unix seconds or an ISO 8601 time. */
  startedAt?: string;
  skipHooks?: true;
}

/** What a plan is made with. */
export interface PlanInputs extends SyncPlanOptions {
  /** `Prune=` of the Application, for objects that say nothing. */
  defaultPrune?: string;
}

/** @throws UsageError for an option that is not `Name=value` or no time, MusterError for a file without an Application. */
export async function planInputs(flags: SyncFlags, terminal: Terminal): Promise<PlanInputs> {
  const application = flags.application ? await readApplication(flags.application, terminal) : {};
  const options = optionsOf([...(application.syncPolicy?.syncOptions ?? []), ...(flags.option ?? [])]);
  const on = (name: string) => options.get(name) === 'true';
  const defaultPrune = options.get('Prune');
  return {
    namespace: flags.namespace ?? application.destination?.namespace ?? '',
    createNamespace: on('CreateNamespace'),
    pruneLast: on('PruneLast'),
    skipDryRunOnMissingResource: on('SkipDryRunOnMissingResource'),
    skipHooks: flags.skipHooks ?? false,
    revision: flags.revision ?? '',
    startedAt: flags.startedAt === undefined ? 0 : secondsOf(flags.startedAt),
    ...(defaultPrune !== undefined && { defaultPrune }),
  };
}

interface ApplicationSpec {
  destination?: { namespace?: string };
  syncPolicy?: { syncOptions?: string[] };
}

async function readApplication(file: string, terminal: Terminal): Promise<ApplicationSpec> {
  const documents = await readDocuments([file], { terminal });
  const found = documents.find(({ value }) => value['kind'] === 'Application');
  if (!found) throw new MusterError('invalid', 'no Application in it', { where: file });
  return (found.value['spec'] ?? {}) as ApplicationSpec;
}

/** The last of a name counts. */
function optionsOf(texts: readonly string[]): Map<string, string> {
  return new Map(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new UsageError(`the sync option ${text} is not Name=value`);
      return [text.slice(0, at).trim(), text.slice(at + 1).trim()] as const;
    }),
  );
}

function secondsOf(text: string): number {
  if (/^[0-9]+$/.test(text)) return Number(text);
  const milliseconds = Date.parse(text);
  if (Number.isNaN(milliseconds))
    throw new UsageError(`--started-at ${text} is neither Unix seconds nor a time`);
  return Math.floor(milliseconds / 1000);
}
