import { describe, expect, it } from 'vitest';
import { logLines, subjectWords } from './log-lines.ts';

const at = '2026-01-01T00:00:00Z';
const moved = (subject: string, more: object = {}) => ({
  at,
  subject,
  from: 'waiting',
  to: 'assigned',
  cause: 'its turn',
  ...more,
});

describe('the log', () => {
  it('is one line for targets that went the same way at the same time', () => {
    const lines = logLines([
      moved('target/argocd/web-a@a'),
      moved('stage/rest', { to: 'rolling' }),
      moved('target/argocd/web-b@b'),
      moved('target/argocd/web-c@c', { to: 'failed' }),
    ]);
    expect(lines.map((line) => subjectWords(line))).toEqual([
      '2 targets: argocd/web-a@a, argocd/web-b@b',
      'Stage rest',
      'argocd/web-c@c',
    ]);
    expect(new Set(lines.map(({ key }) => key)).size).toBe(3);
  });

  it('names gates by stage and name, and who did it with the reason', () => {
    const [line] = logLines([moved('gate/rest/sign-off', { actor: 'ann', reason: 'tested' })]);
    expect(line).toMatchObject({ kind: 'gate', actor: 'ann', reason: 'tested' });
    expect(subjectWords(line!)).toBe('Gate rest / sign-off');
    expect(subjectWords(logLines([moved('rollout')])[0]!)).toBe('Rollout');
  });

  it('names some of many', () => {
    const many = logLines(Array.from({ length: 12 }, (_, i) => moved(`target/${i}`)));
    expect(subjectWords(many[0]!)).toBe('12 targets: 0, 1, 2 and 9 more');
  });
});
