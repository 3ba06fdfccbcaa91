import { MusterError } from '@muster/base';
import { isSelected, parseKeyString, parseResourceSelector, selectorOf } from '@muster/kube';
import { applicationKey, commandRefusal } from '@muster/link';
import { type Command, CommandOutcome, type SyncCommand } from '@muster/proto/records';
import { foreignText } from '../apply/foreign.ts';
import type { Engine } from '../apply/engine.ts';
import type { Power } from '../apply/power.ts';

export interface CommandAnswer {
  outcome: CommandOutcome;
  message: string;
}

/** Bytes of the JSON of a diff at most. */
const MAX_DIFF = 1024 * 1024;

/**
 * Carries out a command that has been verified and written into the journal. Rejects only when this process has to
 * stop acting: nobody can then say what came of it.
 */
export async function runCommand(
  engine: Engine,
  power: Power,
  command: Command,
  signal: AbortSignal,
): Promise<CommandAnswer> {
  const refusal = refusalOf(power, command);
  if (refusal) return { outcome: CommandOutcome.REFUSED, message: refusal };
  const key = applicationKey(command);
  const runner = engine.runner(key);
  if (!runner) return failed(`Application ${key} is not held by this agent`);
  switch (command.verb?.$case) {
    case 'sync':
      return sync(engine, command, key, signal);
    case 'refresh':
      engine.refresh(key);
      return succeeded('compared again');
    case 'terminate':
      return engine.terminate(key) ? succeeded('the operation was ended') : failed('no operation is running');
    case 'confirm':
      return confirm(engine, key, command, signal);
    case 'act':
      return runner.act(command, signal);
    case 'runJob':
      return runner.runJob(command, signal);
    case 'diff':
      return diff(engine, key, signal);
    case undefined:
      return { outcome: CommandOutcome.REFUSED, message: 'this agent does not know the command' };
  }
}

function refusalOf({ accepted }: Power, { verb }: Command): string | undefined {
  if (!verb) return undefined;
  const asked = verb.$case === 'sync' || verb.$case === 'act' ? verb.value : {};
  return commandRefusal(accepted, verb.$case, asked);
}

function sync(engine: Engine, command: Command, key: string, signal: AbortSignal): Promise<CommandAnswer> {
  if (command.verb?.$case !== 'sync') throw new Error('not a sync command');
  const { bundleDigest } = command.verb.value;
  const { app } = engine.runner(key)!;
  if (app.leaving) return Promise.resolve(failed('the Application is leaving this cluster'));
  if (bundleDigest && bundleDigest !== app.assignment.bundleDigest) {
    const message = 'another bundle is assigned by now than the one this command was given for';
    return Promise.resolve({ outcome: CommandOutcome.REFUSED, message });
  }
  return carriedOut(engine, key, command.id, command.verb.value, signal);
}

/** Lets go what guards hold back: a sync that prunes only that, or the removal that waits for it. */
async function confirm(
  engine: Engine,
  key: string,
  { id, verb }: Command,
  signal: AbortSignal,
): Promise<CommandAnswer> {
  if (verb?.$case !== 'confirm') throw new Error('not a confirm command');
  const { resources } = verb.value;
  const selectors = resources.flatMap((text) => parseResourceSelector(text) ?? []);
  const all = resources.length === 0;
  const selects = (object: Parameters<typeof isSelected>[1]) => isSelected(selectors, object);
  const { objects: chosen, resumed } = engine.confirm(key, selects, all);
  const which = all ? '' : ` among ${resources.join(', ')}`;
  if (resumed) return succeeded('the removal goes on');
  if (chosen.length === 0) return failed(`nothing waits for a confirmation${which}`);
  if (engine.runner(key)!.app.leaving) return succeeded(`${chosen.length} confirmed`);
  const asked = { prune: true, dryRun: false, replace: false, force: false };
  return carriedOut(engine, key, id, { ...asked, resources: chosen.map(selectorOf) }, signal);
}

/** Asks for a sync and answers with what came of it. */
function carriedOut(
  engine: Engine,
  key: string,
  commandId: string,
  { prune, dryRun, resources, replace, force }: Omit<SyncCommand, 'bundleDigest'>,
  signal: AbortSignal,
): Promise<CommandAnswer> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    engine.sync(key, {
      commandId,
      prune,
      dryRun,
      resources,
      replace,
      force,
      answer: (outcome) => {
        if (outcome instanceof MusterError) resolve(failed(outcome.describe()));
        else if (outcome.phase === 'Succeeded') resolve(succeeded(outcome.message));
        else resolve(failed(outcome.message));
      },
    });
  });
}

async function diff(engine: Engine, key: string, signal: AbortSignal): Promise<CommandAnswer> {
  const runner = engine.runner(key)!;
  try {
    const verdicts = await runner.differences(signal);
    const resources = [];
    for (const [resource, verdict] of verdicts) {
      if (verdict.kind === 'synced') continue;
      const name = parseKeyString(resource);
      if (verdict.kind === 'differs') {
        const { fields, writer } = verdict.difference;
        resources.push({
          ...name,
          state: 'differs',
          fields,
          manager: writer?.manager,
          operation: writer?.operation,
          timeMs: writer?.timeMs,
          ...(verdict.foreign && { message: foreignText(verdict.foreign) }),
        });
      } else if (verdict.kind === 'missing') resources.push({ ...name, state: 'missing', fields: [] });
      else if (verdict.kind === 'unknown')
        resources.push({ ...name, state: 'unknown', message: verdict.message, fields: [] });
    }
    for (const { key: resource, requiresPruning } of runner.app.resources.values()) {
      if (requiresPruning) resources.push({ ...parseKeyString(resource), state: 'extra', fields: [] });
    }
    const text = JSON.stringify({ resources });
    if (text.length <= MAX_DIFF) return succeeded(text);
    const named = resources.map((each) => ({ ...each, fields: [] }));
    return succeeded(JSON.stringify({ resources: named.slice(0, 1_000), truncated: true }));
  } catch (thrown) {
    signal.throwIfAborted();
    return failed(MusterError.from(thrown).describe());
  }
}

const succeeded = (message: string): CommandAnswer => ({ outcome: CommandOutcome.SUCCEEDED, message });
const failed = (message: string): CommandAnswer => ({ outcome: CommandOutcome.FAILED, message });
