import { activeUntil, nextStart } from '@muster/kube';
import type { Window } from './policy.ts';
import { instant } from './words.ts';

/** How much earlier an agent without a hub closes windows, and how much later it opens them: its clock may be wrong. */
export const OFFLINE_MARGIN_MS = 10 * 60_000;

/** Whether windows let something begin; `untilMs`: when that may change, where it is known. */
export type WindowVerdict = { open: true } | { open: false; reason: string; untilMs: number | null };

/** An active deny forbids; else an active allow permits; else it is forbidden where there is any allow. By the hub's clock. */
export function windowVerdict(windows: readonly Window[], nowMs: number): WindowVerdict {
  const states = windows.map((window) => ({ window, endMs: openUntil(window, nowMs) }));
  const denying = states.filter(({ window, endMs }) => window.deny && endMs !== undefined);
  if (denying.length > 0) {
    const untilMs = Math.max(...denying.map(({ endMs }) => endMs!));
    return { open: false, reason: `frozen by ${texts(denying.map(({ window }) => window))}`, untilMs };
  }
  const allows = states.filter(({ window }) => !window.deny);
  if (allows.length === 0 || allows.some(({ endMs }) => endMs !== undefined)) return { open: true };
  const starts = allows.flatMap(({ window }) => opensAt(window, nowMs) ?? []);
  return {
    open: false,
    reason: `outside ${texts(allows.map(({ window }) => window))}`,
    untilMs: starts.length > 0 ? Math.min(...starts) : null,
  };
}

/**
 * The same for an agent that does not hear the hub: windows close 10 minutes early and open 10 minutes late, so only what
 * is permitted during the whole time that it may be is permitted.
 */
export function offlineWindowVerdict(
  windows: readonly Window[],
  nowMs: number,
  marginMs = OFFLINE_MARGIN_MS,
): WindowVerdict {
  const [from, until] = [nowMs - marginMs, nowMs + marginMs];
  for (const at of changesBetween(windows, from, until)) {
    const verdict = windowVerdict(windows, at);
    if (verdict.open) continue;
    const reason = `${verdict.reason}, give or take ${marginMs / 60_000} minutes while the hub is not heard`;
    return { open: false, reason, untilMs: verdict.untilMs === null ? null : verdict.untilMs + marginMs };
  }
  return { open: true };
}

/** Times at which a window may have changed: whole minutes, as schedules have no seconds, and ends. */
function changesBetween(windows: readonly Window[], from: number, until: number): number[] {
  const times = new Set([from, until]);
  for (let at = Math.ceil(from / 60_000) * 60_000; at < until; at += 60_000) times.add(at);
  for (const window of windows) {
    if ('fromMs' in window) for (const at of [window.fromMs, window.untilMs]) times.add(at);
    else for (const at of [...times]) times.add(openUntil(window, at) ?? at);
  }
  return [...times].filter((at) => at >= from && at <= until).sort((a, b) => a - b);
}

function openUntil(window: Window, nowMs: number): number | undefined {
  if (!('fromMs' in window)) return activeUntil(window, nowMs);
  return window.fromMs <= nowMs && nowMs < window.untilMs ? window.untilMs : undefined;
}

function opensAt(window: Window, nowMs: number): number | undefined {
  if (!('fromMs' in window)) return nextStart(window, nowMs);
  return nowMs < window.fromMs ? window.fromMs : undefined;
}

function texts(windows: readonly Window[]): string {
  return windows.map(windowText).join('; ');
}

function windowText(window: Window): string {
  if ('fromMs' in window) return `${instant(window.fromMs)} – ${instant(window.untilMs)}`;
  const minutes = Math.round(window.durationMs / 60_000);
  const length = `${Math.floor(minutes / 60)}h${minutes % 60 ? `${minutes % 60}m` : ''}`;
  return `"${window.schedule}" ${window.timeZone} for ${length.replace(/^0h(?=\d)/, '')}`;
}
