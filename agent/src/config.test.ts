import { expect, it } from 'vitest';
import { FULL_POWER } from './apply/power.ts';
import { readConfig } from './config.ts';

it('has a default for everything, outside of a cluster', () => {
  expect(readConfig({})).toMatchObject({
    store: 'folder',
    namespace: 'muster-agent',
    power: FULL_POWER,
    healthPort: 0,
    inCluster: false,
  });
});

it('reads lists and addresses', () => {
  const config = readConfig({
    MUSTER_AGENT_NAMESPACES: 'a, b,',
    MUSTER_AGENT_KINDS: 'apps/*,!Secret',
    MUSTER_AGENT_VERBS: 'refresh,diff',
    MUSTER_AGENT_HUB: '[::1]:7443',
    MUSTER_AGENT_STORE: 'secrets',
  });
  expect(config).toMatchObject({
    power: {
      accepted: new Set(['refresh', 'diff']),
      namespaces: ['a', 'b'],
      kinds: ['apps/*', '!Secret'],
      clusterKinds: [],
      serviceAccounts: [],
      needsServiceAccount: false,
    },
    hub: '[::1]:7443',
    store: 'secrets',
  });
});

it.each([
  ['MUSTER_AGENT_HUB', 'https://hub'],
  ['MUSTER_AGENT_CA_SHA256', 'xyz'],
  ['MUSTER_AGENT_STORE', 'redis'],
  ['MUSTER_AGENT_NAMESPACE', 'No'],
  ['MUSTER_AGENT_VERBS', 'observe'],
  ['MUSTER_AGENT_HEALTH_PORT', '99999'],
])('names the wrong setting: %s', (name, value) => {
  expect(() => readConfig({ [name]: value })).toThrow(
    expect.objectContaining({ code: 'invalid', where: name }),
  );
});
