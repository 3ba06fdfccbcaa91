import { expect, it } from 'vitest';
import { readSystemSettings } from './system-settings.ts';

it('reads both forms of checks and of rules, and names what has no effect', () => {
  const settings = readSystemSettings(
    {
      'resource.customizations': `
example.org/Widget:
  health.lua: return {status = "Healthy"}
  health.lua.useOpenLibs: true
  actions: discovery
ConfigMap:
  ignoreDifferences: |
    jsonPointers: [/data/a]
`,
      'resource.customizations.health.cert-manager.io_Certificate': 'return nil',
      'resource.customizations.useOpenLibs.cert-manager.io_Certificate': 'true',
      'resource.customizations.ignoreDifferences.all': 'managedFieldsManagers: [kube-controller-manager]',
      'resource.customizations.ignoreDifferences.apps_Deployment': 'jqPathExpressions: [.spec.replicas]',
      url: 'https://argocd.example.org',
    },
    'argocd-cm',
  );
  expect(settings.health).toEqual({
    'example.org/Widget': {
      'health.lua': 'return {status = "Healthy"}',
      'health.lua.useOpenLibs': true,
    },
    'cert-manager.io/Certificate': { 'health.lua': 'return nil', 'health.lua.useOpenLibs': true },
  });
  const none = { jsonPointers: [], jqPathExpressions: [], managedFieldsManagers: [] };
  expect(settings.ignoreDifferences).toEqual([
    { group: '', kind: 'ConfigMap', ...none, jsonPointers: ['/data/a'] },
    { group: '*', kind: '*', ...none, managedFieldsManagers: ['kube-controller-manager'] },
    { group: 'apps', kind: 'Deployment', ...none, jqPathExpressions: ['.spec.replicas'] },
  ]);
  expect(settings.notices).toEqual([
    'resource.customizations example.org/Widget actions has no effect',
    'url has no effect',
  ]);
});

it('says where something is wrong', () => {
  const read = (key: string, text: string) => () => readSystemSettings({ [key]: text }, 'argocd-cm');
  expect(read('resource.customizations', 'a: [')).toThrow();
  expect(read('resource.customizations.ignoreDifferences.all', 'jsonPointers: 1')).toThrow(
    /jsonPointers is not a list/,
  );
  expect(read('url', 'x'.repeat(2_000_000))).toThrow(/more than/);
});

it('takes `all` for every kind with a group, and any spelling of true that Go takes', () => {
  const data = {
    'resource.customizations.health.all': 'return nil',
    'resource.customizations.useOpenLibs.all': '1',
    'resource.customizations.useOpenLibs.apps_Deployment': 'no',
  };
  expect(readSystemSettings(data, 'argocd-cm').health).toEqual({
    '*/*': { 'health.lua': 'return nil', 'health.lua.useOpenLibs': true },
    'apps/Deployment': { 'health.lua.useOpenLibs': false },
  });
});
