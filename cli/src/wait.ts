import type { ApplicationRevision, ApplicationView, CommandStarted, CommandView } from '@muster/api';
import type { HubClient } from '@muster/api/client';
import { MusterError } from '@muster/base';
import type { Context } from './host.ts';
import { inTurn } from './in-turn.ts';
import { formatName } from './names.ts';
import { progressLine } from './operation-text.ts';

/** What Applications are waited to be. */
export interface Goal {
  sync?: boolean;
  health?: boolean;
  /** Commit (or the beginning of one) of a source that has to be what is applied, or to be behind it. */
  revision?: string;
  /** No longer there. */
  gone?: boolean;
}

/** An Application that is waited for, and how it stands to the commit that is waited for. */
export interface Waited {
  app: ApplicationView | undefined;
  revision?: ApplicationRevision;
}

/** How the wait for one Application stands: what is missing yet, or nothing. */
export function missingOf({ app, revision }: Waited, goal: Goal): string | undefined {
  if (goal.gone) return app ? app.leaving?.waits || 'still there' : undefined;
  if (!app) return 'does not exist';
  if (revision && !revision.reached) return revision.message;
  const running = app.operation?.phase === 'Running' ? progressLine(app.operation) : '';
  const doing = running ? `, ${running}` : '';
  if (app.clusterState?.silentSince) return `its cluster is silent since ${app.clusterState.silentSince}`;
  if (goal.sync && app.sync !== 'Synced') {
    const why = app.ofHub ? (app.conditions[0]?.message ?? app.operation?.message) : undefined;
    return why ? `${app.sync}: ${why}` : `${app.sync}${doing}`;
  }
  if (goal.health && app.health !== 'Healthy')
    return app.ofHub && app.healthMessage ? app.healthMessage : `${app.health}${doing}`;
  return (goal.sync || goal.health) && app.operation?.phase === 'Running' ? `syncing${doing}` : undefined;
}

/** Reads all Applications that are waited for: those of a filter may become more. */
export type ReadApplications = () => Promise<Map<string, ApplicationView | undefined>>;

/** Asks how Applications stand to a commit; those of one place that are assigned the same share the answer. */
async function withRevision(
  { applications }: HubClient,
  apps: Map<string, ApplicationView | undefined>,
  commit: string | undefined,
): Promise<Map<string, Waited>> {
  const asked = new Map<string, Promise<ApplicationRevision>>();
  const waited = new Map<string, Waited>();
  await inTurn([...apps], 8, async ([name, app]) => {
    if (!commit || !app) return void waited.set(name, { app });
    const { namespace, name: own, source, sources, revision, latestCommit, rollout, conditions } = app;
    const held = rollout?.holds ? rollout.reason : undefined;
    const same = JSON.stringify([sources ?? source, revision, latestCommit, held, conditions]);
    const answer = asked.get(same) ?? applications.revision(namespace, own, commit);
    asked.set(same, answer);
    waited.set(name, { app, revision: await answer });
  });
  return waited;
}

/** Events may be missed by a proxy; a look now and then costs little. */
const LOOK_EVERY_MS = 10_000;

/**
 * Waits until every Application is as wanted, told by the hub's events; answers them as they are then.
 * @throws MusterError limit, naming what is missing, when the time is up.
 */
export async function waitForApplications(
  context: Context,
  client: HubClient,
  read: ReadApplications,
  goal: Goal,
  timeoutSeconds: number,
): Promise<Map<string, Waited>> {
  const deadline = AbortSignal.timeout(timeoutSeconds * 1000);
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, deadline, context.signal]);
  const bell = new Bell(signal);
  const progress = context.terminal.progress('waiting');
  let missing = new Map<string, string>();
  void listen(client, bell, signal);
  try {
    for (;;) {
      const waited = await withRevision(client, await read(), goal.revision);
      missing = missingAmong(waited, goal);
      if (missing.size === 0) return waited;
      progress.update(`waiting for ${describe(missing)}`);
      await bell.next(LOOK_EVERY_MS);
      if (deadline.aborted) {
        throw new MusterError('limit', `gave up after ${timeoutSeconds} s: ${describe(missing, 10)}`, {
          hint: 'muster app get NAME says more; --timeout waits longer',
        });
      }
      context.signal.throwIfAborted();
    }
  } finally {
    over.abort();
    progress.stop();
  }
}

function missingAmong(apps: Map<string, Waited>, goal: Goal): Map<string, string> {
  const missing = new Map<string, string>();
  if (apps.size === 0 && !goal.gone) missing.set('any Application', 'none matches');
  for (const [name, waited] of apps) {
    const reason = missingOf(waited, goal);
    if (reason !== undefined) missing.set(name, reason);
  }
  return missing;
}

function describe(missing: Map<string, string>, most = 3): string {
  const named = [...missing].slice(0, most).map(([name, reason]) => `${name} (${reason})`);
  const more = missing.size - named.length;
  return named.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** Rings whenever something may have changed. A stream that fails is made up for by looking now and then. */
async function listen(client: HubClient, bell: Bell, signal: AbortSignal): Promise<void> {
  try {
    for await (const event of client.events({ signal })) {
      if (event.type !== 'change' || event.kind === 'application' || event.kind === 'cluster') bell.ring();
    }
  } catch {
    bell.ring();
  }
}

/** One who waits, woken by many; a ring while nobody waits is kept. */
class Bell {
  readonly #signal: AbortSignal;
  #rung = false;
  #wake: () => void = () => undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.ring());
  }

  ring(): void {
    this.#rung = true;
    this.#wake();
  }

  async next(atMostMs: number): Promise<void> {
    if (!this.#rung && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, atMostMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#rung = false;
  }
}

/** How often it is looked how far a command is, where that is shown. */
const LOOK_AT_COMMAND_SECONDS = 3;

/** Waits for the outcome of a command; `doing` tells how far it is meanwhile. @throws MusterError when it did not succeed, or the time is up. */
export async function waitForCommand(
  { terminal, signal }: Pick<Context, 'terminal' | 'signal'>,
  client: HubClient,
  id: string,
  timeoutSeconds: number,
  what: string,
  doing?: () => Promise<string>,
): Promise<CommandView> {
  const until = Date.now() + timeoutSeconds * 1000;
  const progress = terminal.progress(`${what} …`);
  try {
    for (;;) {
      const left = Math.ceil((until - Date.now()) / 1000);
      const most = doing ? LOOK_AT_COMMAND_SECONDS : 30;
      const command = await client.command(id, Math.max(1, Math.min(most, left)), { signal });
      if (command.outcome === 'succeeded') return command;
      if (command.outcome !== undefined) {
        throw new MusterError(
          'precondition',
          `${what}: ${command.outcome}${command.message ? `: ${command.message}` : ''}`,
        );
      }
      if (left <= 0) {
        const state = command.sentAt
          ? 'the cluster has not answered yet'
          : 'the cluster has not taken it yet';
        throw new MusterError('limit', `${what}: ${state} after ${timeoutSeconds} s (command ${id})`, {
          hint: '`muster app get` tells whether the cluster is connected',
        });
      }
      const line = await doing?.();
      if (line) progress.update(`${what}: ${line}`);
    }
  } finally {
    progress.stop();
  }
}

export function keyedByName(apps: ApplicationView[]): Map<string, ApplicationView> {
  return new Map(apps.map((app) => [formatName(app), app]));
}

/** Says of an order that nobody hears now what becomes of it. */
export function noteSilence(
  { terminal }: Pick<Context, 'terminal'>,
  { silent }: { silent?: CommandStarted['silent'] },
): void {
  if (!silent) return;
  const { cluster, since, expiresAt } = silent;
  terminal.note(
    `the agent of ${cluster} has been silent since ${since}: this is done when it is back, or expires at ${expiresAt}`,
  );
}
