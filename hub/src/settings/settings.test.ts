import { expect, it } from 'vitest';
import { checkSettings, checksOf } from './settings-manifest.ts';

const document = (data: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'argocd-cm', labels: { 'app.kubernetes.io/part-of': 'argocd' } },
  data,
});

it('takes an argocd-cm, and names what has no effect', () => {
  const { settings, manifest } = checkSettings(
    document({
      'resource.customizations.health.example.org_Widget': 'return {status = "Healthy"}',
      'admin.enabled': 'false',
    }),
    'argocd-cm',
  );
  expect(settings.notices).toEqual(['admin.enabled has no effect']);
  expect(manifest).toMatchObject({ metadata: { name: 'argocd-cm', namespace: 'argocd' } });
  expect(checksOf(settings.health, ['example.org/Widget', 'ConfigMap', 'example.org/Widget'])).toEqual([
    { kind: 'example.org/Widget', lua: 'return {status = "Healthy"}', useOpenLibs: false, cel: {} },
  ]);
});

it('refuses a script, an expression or a rule that cannot be, by its key', () => {
  const check = (data: Record<string, string>) => () => checkSettings(document(data), 'argocd-cm');
  expect(check({ 'resource.customizations.health.example.org_Widget': 'return {' })).toThrow(
    expect.objectContaining({ code: 'invalid', where: 'argocd-cm health of example.org/Widget' }),
  );
  expect(check({ 'resource.customizations': 'a/B: {health.cel: {current: "1 +"}}' })).toThrow(
    expect.objectContaining({ code: 'invalid' }),
  );
  expect(check({ 'resource.customizations.ignoreDifferences.all': 'jsonPointers: [spec]' })).toThrow(
    /"spec" is no JSON pointer/,
  );
});

it('gives kinds the check of a wildcard', () => {
  const health = { '*.example.org/*': { 'health.cel': { current: 'true' } } };
  expect(checksOf(health, ['db.example.org/Thing', 'apps/Deployment'])).toEqual([
    { kind: 'db.example.org/Thing', lua: '', useOpenLibs: false, cel: { current: 'true' } },
  ]);
});
