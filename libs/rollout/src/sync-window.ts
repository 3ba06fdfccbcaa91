import type { Target } from './types.ts';
import type { Work } from './work.ts';

/** Its agent has what it was sent, and begins nothing: its deadline waits with it. */
export function heldByWindow({ window, state }: Target): boolean {
  return !!window && (state === 'assigned' || state === 'restoring');
}

/** Notes that a window of the target's project is closed; since when does not change with the reason. */
export function closeWindow(
  work: Work,
  target: Target,
  { reason, until }: { reason: string; until: number | null },
): void {
  const { window } = target;
  if (window?.reason === reason && window.until === until) return;
  work.patch(target, { window: { reason, until, since: window?.since ?? work.now } });
}

/** What changes of a target that no window holds any more: it gets the time back for which one did. */
export function withoutWindow(target: Target, now: number): Partial<Target> {
  const { window, dueAt, assignedAt } = target;
  if (!window) return {};
  if (!heldByWindow(target) || dueAt === null) return { window: null };
  return { window: null, dueAt: dueAt + Math.max(0, now - Math.max(window.since, assignedAt ?? 0)) };
}
