import { expect, test } from 'vitest';
import { parseTarget } from '../names.ts';
import { whyText } from './why.ts';

const now = Date.parse('2026-11-01T12:00:00Z');

test('a chain is written with what ends each link, and who can', () => {
  const text = whyText(
    {
      kind: 'application',
      of: 'argocd/web-eu',
      project: 'shop',
      cluster: 'eu',
      blocked: true,
      headline: 'x',
      links: [
        {
          kind: 'approval',
          text: 'release 2: 1 approval of owners',
          since: '2026-11-01T11:00:00.000Z',
          until: '2026-11-01T13:00:00.000Z',
          command: 'muster rollout approve argocd/web',
          who: 'an approver',
        },
        { kind: 'stage', text: 'stage a goes before\u001b[31m its stage b' },
      ],
    },
    { now, colour: false },
  );
  expect(text.split('\n')).toEqual([
    'argocd/web-eu in eu: blocked',
    '  approval: release 2: 1 approval of owners',
    '      since 2026-11-01T11:00:00Z (60m ago), until 2026-11-01T13:00:00Z (in 60m)',
    '      do: muster rollout approve argocd/web',
    '      who: an approver',
    '  then stage: stage a goes before [31m its stage b',
  ]);
});

test('what is well is one line; a set is a table of reasons', () => {
  const well = { kind: 'application', of: 'argocd/web', project: 'p', blocked: false, links: [] } as const;
  expect(whyText({ ...well, links: [], headline: 'nothing: synced' }, { now, colour: false })).toBe(
    'argocd/web: nothing: synced',
  );
  const text = whyText(
    {
      ...well,
      kind: 'set',
      links: [],
      blocked: true,
      headline: '3 of 9 are blocked: the agent of … is silent',
      targets: {
        total: 9,
        blocked: 3,
        more: false,
        groups: [
          {
            kind: 'agent',
            text: 'the agent of … is silent',
            count: 3,
            since: '2026-11-01T11:00:00.000Z',
            examples: ['argocd/web-a@a', 'argocd/web-b@b', 'argocd/web-c@c'],
          },
        ],
      },
    },
    { now, colour: false },
  );
  expect(text.split('\n')).toEqual([
    'ApplicationSet argocd/web: 3 of 9 are blocked: the agent of … is silent',
    '',
    'TARGETS   BLOCKED BY   SINCE   WHY                        EXAMPLES',
    '3         agent        60m     the agent of … is silent   argocd/web-a@a, argocd/web-b@b and 1 more',
  ]);
});

test('wide names every example, the command and who can; what is left out is counted', () => {
  const text = whyText(
    {
      kind: 'set',
      of: 'argocd/web',
      project: 'p',
      links: [],
      blocked: true,
      headline: '9 of 9 are blocked',
      targets: {
        total: 9,
        blocked: 9,
        more: false,
        omitted: { groups: 2, targets: 5 },
        groups: [
          {
            kind: 'agent',
            text: 'the agent of … is silent',
            count: 4,
            examples: ['argocd/web-a@a', 'argocd/web-b@b', 'argocd/web-c@c'],
            command: 'muster cluster list',
            who: 'an admin',
          },
        ],
      },
    },
    { now, colour: false, wide: true },
  );
  expect(text).toContain(
    'argocd/web-a@a, argocd/web-b@b, argocd/web-c@c and 1 more   muster cluster list   an admin',
  );
  expect(text).toContain('5 more are blocked by 2 other things.');
});

test('a target is an Application, or one in a cluster', () => {
  expect(parseTarget('web')).toEqual({ namespace: 'argocd', name: 'web' });
  expect(parseTarget('team/web@eu-1')).toEqual({ namespace: 'team', name: 'web', cluster: 'eu-1' });
  expect(() => parseTarget('web@')).toThrow('neither APP nor APP@CLUSTER');
  expect(() => parseTarget('web@a@b')).toThrow('neither APP nor APP@CLUSTER');
});
