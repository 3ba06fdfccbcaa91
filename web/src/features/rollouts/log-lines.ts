import type { RolloutTransition } from '@muster/api';

/** One line of the log: what changed, and of targets that changed alike, how many. */
export interface LogLine {
  key: string;
  at: string;
  kind: 'rollout' | 'stage' | 'gate' | 'target';
  /** Stage, `stage / gate`, or targets. */
  subjects: string[];
  from: string;
  to: string;
  cause: string;
  actor?: string;
  reason?: string;
}

const KINDS = ['rollout', 'stage', 'gate', 'target'] as const;

/** Transitions as they are read, newest first; targets that went the same way at the same time are one line. */
export function logLines(transitions: readonly RolloutTransition[]): LogLine[] {
  const lines: LogLine[] = [];
  const targets = new Map<string, LogLine>();
  for (const { at, subject, from, to, cause, actor, reason } of transitions) {
    const kind = KINDS.find((each) => subject === each || subject.startsWith(`${each}/`)) ?? 'rollout';
    const name = subject.slice(kind.length + 1);
    const alike = JSON.stringify([at, from, to, cause, actor, reason]);
    const found = kind === 'target' ? targets.get(alike) : undefined;
    if (found) {
      found.subjects.push(name);
      continue;
    }
    const line: LogLine = {
      key: `${lines.length} ${subject} ${alike}`,
      at,
      kind,
      subjects: name === '' ? [] : [kind === 'gate' ? name.replace('/', ' / ') : name],
      from,
      to,
      cause,
      ...(actor && { actor }),
      ...(reason && { reason }),
    };
    lines.push(line);
    if (kind === 'target') targets.set(alike, line);
  }
  return lines;
}

/** What a line is about: `Stage canary`, `3 targets: a, b, c`. */
export function subjectWords({ kind, subjects }: LogLine, shown = 3): string {
  if (kind === 'rollout') return 'Rollout';
  if (kind !== 'target') return `${kind === 'stage' ? 'Stage' : 'Gate'} ${subjects.join(', ')}`;
  if (subjects.length === 1) return subjects[0]!;
  const rest = subjects.length - shown;
  return `${subjects.length} targets: ${subjects.slice(0, shown).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
