import { describe, expect, it } from 'vitest';
import { type DestinationServiceAccount, accountDecision, accountProblems } from './impersonation.ts';

const project = (destinationServiceAccounts?: DestinationServiceAccount[]) => ({
  name: 'shop',
  spec: destinationServiceAccounts ? { destinationServiceAccounts } : {},
});
const there = {
  server: 'https://prod.test:6443',
  cluster: 'prod',
  namespace: 'web',
  applicationNamespace: 'argocd',
};
const entry = (defaultServiceAccount: string, some: DestinationServiceAccount = {}) => ({
  server: '*',
  namespace: '*',
  defaultServiceAccount,
  ...some,
});

describe('the account that a project gives', () => {
  it.each([
    [[entry('deployer')], 'web/deployer'],
    [[entry('ci:deployer')], 'ci/deployer'],
    [[entry('no', { namespace: 'web-*' }), entry('yes', { namespace: 'we?' }), entry('late')], 'web/yes'],
    [[entry('no', { server: 'https://dev*' }), entry('yes', { server: 'https://prod*' })], 'web/yes'],
    [[{ name: 'prod', namespace: 'web', defaultServiceAccount: 'named' }], 'web/named'],
  ])('%j is %s', (entries, account) => {
    expect(accountDecision(project(entries), there, 'listed')).toMatchObject({ allowed: true, account });
  });

  it('is looked for in the Application’s own namespace where the destination has none', () => {
    expect(accountDecision(project([entry('a')]), { ...there, namespace: '' }, 'listed')).toMatchObject({
      account: 'argocd/a',
    });
  });

  it('is never the agent’s own where accounts are listed and none matches', () => {
    const elsewhere = project([entry('a', { namespace: 'other' })]);
    expect(accountDecision(elsewhere, there, 'listed')).toEqual({
      allowed: false,
      reason: 'project "shop" has no ServiceAccount for prod, namespace "web" (destinationServiceAccounts)',
    });
    expect(accountDecision(elsewhere, there, 'off')).toMatchObject({ account: '' });
  });

  it('is the agent’s own where nothing is listed, unless every Application needs one', () => {
    for (const none of [project(), project([])]) {
      expect(accountDecision(none, there, 'listed')).toMatchObject({ allowed: true, account: '' });
      expect(accountDecision(none, there, 'required').allowed).toBe(false);
    }
  });
});

describe('an account that an Application names', () => {
  const two = project([entry('first'), entry('ci:second'), entry('x', { namespace: 'other' })]);
  const ask = (asked: string, of = two, mode: 'listed' | 'off' = 'listed') =>
    accountDecision(of, { ...there, asked }, mode);

  it.each(['ci:second', 'ci/second'])(
    '%s is used where the project lists it for that destination',
    (asked) => {
      expect(ask(asked)).toEqual({
        allowed: true,
        account: 'ci/second',
        accounts: ['web/first', 'ci/second'],
      });
    },
  );

  it.each([
    [
      'x',
      'ServiceAccount web/x is not among those of project "shop" for prod, namespace "web", which are web/first',
    ],
    ['kube-system:admin', 'kube-system/admin is not among those'],
    ['a:b:c', '"a:b:c" is no ServiceAccount'],
    ['*', '"*" is no ServiceAccount'],
  ])('%s is refused', (asked, reason) => {
    expect(ask(asked)).toMatchObject({ allowed: false, reason: expect.stringContaining(reason) });
  });

  it('is refused where the project lists none, and where the hub lets nobody name one', () => {
    expect(ask('first', project())).toMatchObject({ allowed: false });
    expect(ask('first', two, 'off')).toMatchObject({ allowed: false });
  });
});

it('says what is wrong with a list', () => {
  expect(
    accountProblems([
      entry('ok'),
      entry(''),
      entry('a*'),
      entry('a/b'),
      { namespace: '*', defaultServiceAccount: 'a' },
      entry('a', { namespace: '!web' }),
    ]),
  ).toEqual([
    expect.stringContaining('[1].defaultServiceAccount: "" is no ServiceAccount'),
    expect.stringContaining('[2].defaultServiceAccount: "a*"'),
    expect.stringContaining('[3].defaultServiceAccount: "a/b"'),
    'spec.destinationServiceAccounts[4]: names no server',
    'spec.destinationServiceAccounts[5]: "!" excludes nothing here',
  ]);
});
