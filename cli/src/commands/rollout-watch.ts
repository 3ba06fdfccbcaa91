import { setTimeout as sleep } from 'node:timers/promises';
import type { RolloutDetail } from '@muster/api';
import type { Context } from '../host.ts';
import { plain } from '../output.ts';

const LOOK_MS = 1_000;

/** Prints what a rollout is at whenever that changes, until it has ended; answers the exit code. */
export async function watchRollout(context: Context, id: string): Promise<number> {
  let last = '';
  for (;;) {
    const found = await context.client().rollouts.get(id, {}, { signal: context.signal });
    const text = progressText(found);
    if (text !== last)
      context.terminal.out(`${new Date(context.now()).toISOString().slice(11, 19)}  ${text}`);
    last = text;
    if (found.endedAt !== undefined) return found.phase === 'completed' ? 0 : 1;
    await sleep(LOOK_MS, undefined, { signal: context.signal });
  }
}

/** One line, and one for each thing that is waited for. */
export function progressText({
  headline,
  waitingFor,
  circle,
}: Pick<RolloutDetail, 'headline' | 'waitingFor' | 'circle'>): string {
  const waits = waitingFor.map(({ text }) => `waits for ${text}`);
  const more = circle ? [...waits, circle.text] : waits;
  return [headline, ...more.map((text) => `          ${text}`)].map(plain).join('\n');
}
