import { OFFLINE_MARGIN_MS, activeUntil, nextStart, turningPoints } from '@muster/kube';
import type { Window } from './policy.ts';
import { instant } from './words.ts';

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

function changesBetween(windows: readonly Window[], from: number, until: number): number[] {
  const scheduled = windows.filter((window) => 'schedule' in window);
  const once = windows.flatMap((window) => ('fromMs' in window ? [window.fromMs, window.untilMs] : []));
  const within = once.filter((at) => at > from && at < until);
  return [...turningPoints(scheduled, from, until), ...within].sort((a, b) => a - b);
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
  return timesText(window) + (window.reason ? ` (${window.reason})` : '');
}

function timesText(window: Window): string {
  if ('fromMs' in window) return `${instant(window.fromMs)} – ${instant(window.untilMs)}`;
  const minutes = Math.round(window.durationMs / 60_000);
  const length = `${Math.floor(minutes / 60)}h${minutes % 60 ? `${minutes % 60}m` : ''}`;
  return `"${window.schedule}" ${window.timeZone} for ${length.replace(/^0h(?=\d)/, '')}`;
}
