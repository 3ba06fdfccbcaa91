import { Cron } from 'croner';
import { globMatches } from '../glob.ts';
import { parseGoDuration } from './retry.ts';

/** One of an AppProject's `syncWindows`, as it is written. */
export interface WrittenWindow {
  kind?: string;
  schedule?: string;
  duration?: string;
  applications?: string[];
  namespaces?: string[];
  clusters?: string[];
  manualSync?: boolean;
  timeZone?: string;
  andOperator?: boolean;
  useAndOperator?: boolean;
  description?: string;
}

/** A window that holds for one Application. */
export interface SyncWindow {
  deny: boolean;
  /** Five fields, in its time zone. */
  schedule: string;
  timeZone: string;
  durationMs: number;
  /** Syncs that someone asks for are let through. */
  manualSync: boolean;
}

/** What windows are chosen by. */
export interface WindowTarget {
  application: string;
  namespace: string;
  cluster: { name: string; server: string };
}

/** Whether a sync may begin; `until`: when that may change, in Unix milliseconds, where it is known. */
export type WindowDecision =
  | { allowed: true }
  | { allowed: false; reason: string; untilMs: number | undefined };

/** What is wrong with windows, in words with the field; none where they can be obeyed. */
export function windowProblems(windows: readonly WrittenWindow[]): string[] {
  return windows.flatMap((window, index) =>
    problemsOfWindow(window).map((text) => `spec.syncWindows[${index}].${text}`),
  );
}

/** What is wrong with one window, each text beginning with its field. */
export function problemsOfWindow({ kind, schedule = '', duration = '', timeZone }: WrittenWindow): string[] {
  const problems: string[] = [];
  if (kind !== 'allow' && kind !== 'deny') problems.push(`kind: "${kind ?? ''}" is neither allow nor deny`);
  const durationMs = parseGoDuration(duration);
  if (!durationMs || /^\d+$/.test(duration))
    problems.push(`duration: "${duration}" is no duration such as 1h30m`);
  if (!isTimeZone(timeZone || 'UTC')) problems.push(`timeZone: "${timeZone}" is not known`);
  else if (!cronOf(schedule, timeZone || 'UTC'))
    problems.push(`schedule: "${schedule}" is no cron schedule of five fields`);
  return problems;
}

/** The windows that hold for an Application: any of the given lists names it, or all of them with `andOperator`. */
export function windowsFor(windows: readonly WrittenWindow[], target: WindowTarget): SyncWindow[] {
  const matching = windows.filter(
    (window) => problemsOfWindow(window).length === 0 && windowConcerns(window, target),
  );
  return matching.map(({ kind, schedule, duration, timeZone, manualSync }) => ({
    deny: kind === 'deny',
    schedule: schedule!,
    timeZone: timeZone || 'UTC',
    durationMs: parseGoDuration(duration!)!,
    manualSync: manualSync ?? false,
  }));
}

/** Whether a window names an Application: by any of its lists, or by all of them with `andOperator`. */
export function windowConcerns(
  window: WrittenWindow,
  { application, namespace, cluster }: WindowTarget,
): boolean {
  const { applications = [], namespaces = [], clusters = [] } = window;
  const names = (globs: string[], ...texts: string[]) =>
    globs.some((glob) => texts.some((text) => globMatches(glob, text)));
  const lists = [
    { globs: applications, texts: [application] },
    { globs: clusters, texts: [cluster.name, cluster.server] },
    { globs: namespaces, texts: [namespace] },
  ].filter(({ globs }) => globs.length > 0);
  if (lists.length === 0) return false;
  const and = window.andOperator ?? window.useAndOperator ?? false;
  const matches = lists.map(({ globs, texts }) => names(globs, ...texts));
  return and ? matches.every(Boolean) : matches.some(Boolean);
}

/**
 * Whether windows let a sync begin, as the reference decides: an active deny forbids it; else an active allow permits
 * it; else it is forbidden where there is any allow. `manualSync` of all windows that forbid lets manual ones through.
 */
export function syncAllowed(windows: readonly SyncWindow[], nowMs: number, manual: boolean): WindowDecision {
  const states = windows.map((window) => ({ window, endMs: activeUntil(window, nowMs) }));
  const denying = states.filter(({ window, endMs }) => window.deny && endMs !== undefined);
  if (denying.length > 0) {
    if (manual && denying.every(({ window }) => window.manualSync)) return { allowed: true };
    const untilMs = Math.max(...denying.map(({ endMs }) => endMs!));
    const reason = `a deny window is open (${denying.map(({ window }) => describe(window)).join('; ')})`;
    return { allowed: false, reason, untilMs };
  }
  const allows = states.filter(({ window }) => !window.deny);
  if (allows.length === 0 || allows.some(({ endMs }) => endMs !== undefined)) return { allowed: true };
  if (manual && allows.every(({ window }) => window.manualSync)) return { allowed: true };
  const starts = allows.flatMap(({ window }) => nextStart(window, nowMs) ?? []);
  const reason = `no allow window is open (${allows.map(({ window }) => describe(window)).join('; ')})`;
  return { allowed: false, reason, untilMs: starts.length > 0 ? Math.min(...starts) : undefined };
}

/** How much earlier an agent that does not hear its hub closes windows, and how much later it opens them. */
export const OFFLINE_MARGIN_MS = 10 * 60_000;

/**
 * The same for an agent that does not hear its hub, whose clock may be wrong: a sync may begin only where it might at
 * every time that it could be.
 */
export function syncAllowedOffline(
  windows: readonly SyncWindow[],
  nowMs: number,
  manual: boolean,
  marginMs = OFFLINE_MARGIN_MS,
): WindowDecision {
  for (const at of turningPoints(windows, nowMs - marginMs, nowMs + marginMs)) {
    const decision = syncAllowed(windows, at, manual);
    if (decision.allowed) continue;
    const reason = `${decision.reason}, give or take ${marginMs / 60_000} minutes while the hub is not heard`;
    return { allowed: false, reason, untilMs: decision.untilMs && decision.untilMs + marginMs };
  }
  return { allowed: true };
}

/** Both times, and those between them at which windows may open or close: whole minutes, as schedules have no seconds, and ends. */
export function turningPoints(windows: readonly WindowTimes[], from: number, until: number): number[] {
  const times = new Set([from, until]);
  for (let at = Math.ceil(from / 60_000) * 60_000; at < until; at += 60_000) times.add(at);
  for (const window of windows) for (const at of [...times]) times.add(activeUntil(window, at) ?? at);
  return [...times].filter((at) => at >= from && at <= until).sort((a, b) => a - b);
}

/** When a window is: the part of it that is about time. */
export type WindowTimes = Pick<SyncWindow, 'schedule' | 'timeZone' | 'durationMs'>;

/** When an open window closes, in Unix milliseconds; undefined: it is closed. */
export function activeUntil(
  { schedule, timeZone, durationMs }: WindowTimes,
  nowMs: number,
): number | undefined {
  const cron = cronOf(schedule, timeZone);
  // A start now or earlier, and less than its duration ago.
  const [last] = cron?.previousRuns(1, new Date(nowMs + 1)) ?? [];
  if (!last) return undefined;
  const endMs = last.getTime() + durationMs;
  return endMs > nowMs ? endMs : undefined;
}

/** When a window opens next, in Unix milliseconds. */
export function nextStart({ schedule, timeZone }: WindowTimes, nowMs: number): number | undefined {
  return cronOf(schedule, timeZone)?.nextRun(new Date(nowMs))?.getTime();
}

function describe({ schedule, timeZone, durationMs, manualSync }: SyncWindow): string {
  const zone = timeZone === 'UTC' ? '' : ` ${timeZone}`;
  return `"${schedule}"${zone} for ${durationText(durationMs)}${manualSync ? ', manual syncs allowed' : ''}`;
}

function durationText(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  if (hours === 0) return `${rest}m`;
  return rest === 0 ? `${hours}h` : `${hours}h${rest}m`;
}

/** Schedules are read once: that takes far longer than asking one. */
const read = new Map<string, Cron | undefined>();
const READ_AT_MOST = 1_000;

function cronOf(schedule: string, timezone: string): Cron | undefined {
  const key = `${timezone}/${schedule}`;
  if (!read.has(key)) {
    if (read.size >= READ_AT_MOST) read.clear();
    read.set(key, readCron(schedule, timezone));
  }
  return read.get(key);
}

/** A schedule as the reference's parser takes it: five fields, `?` as `*`, days of month and week in either case. */
function readCron(schedule: string, timezone: string): Cron | undefined {
  if (schedule.trim().split(/\s+/).length !== 5 || /[L#W@]/i.test(schedule.replace(NAMES, '')))
    return undefined;
  try {
    return new Cron(schedule.replaceAll('?', '*'), {
      paused: true,
      timezone,
      mode: '5-part',
      legacyMode: true,
      sloppyRanges: true,
    });
  } catch {
    return undefined;
  }
}

const NAMES = /jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat/gi;

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
