import { describe, expect, it } from 'vitest';
import { hooksOf, isSkipped, waveOf } from './hooks.ts';
import { deleteDecision, pruneDecision } from './prune.ts';

const annotated = (annotations: Record<string, string>) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'a', annotations },
});
const hook = 'argocd.argoproj.io/hook';

describe('hooksOf', () => {
  it.each([
    [{}, undefined],
    [{ [hook]: 'PreSync' }, ['PreSync']],
    [{ [hook]: 'PreSync, PostSync,PreSync' }, ['PreSync', 'PostSync']],
    [{ [hook]: 'PreDelete,PostDelete' }, ['PreDelete', 'PostDelete']],
    [{ [hook]: 'Skip' }, undefined],
    [{ [hook]: 'Skip,Sync' }, ['Sync']],
    [{ [hook]: '' }, []],
    [{ [hook]: 'nonsense' }, []],
    [{ [hook]: 'nonsense', 'helm.sh/hook': 'pre-install' }, ['PreSync']],
    [{ 'helm.sh/hook': 'pre-install,pre-upgrade' }, ['PreSync']],
    [{ 'helm.sh/hook': 'post-install, pre-delete' }, ['PostSync', 'PreDelete']],
    [{ 'helm.sh/hook': 'test' }, []],
    [{ 'helm.sh/hook': 'crd-install' }, undefined],
  ] as [Record<string, string>, string[] | undefined][])('%j', (annotations, phases) => {
    expect(hooksOf(annotated(annotations))?.phases).toEqual(phases);
  });

  it('knows Skip as the only type', () => {
    expect(isSkipped(annotated({ [hook]: 'Skip' }))).toBe(true);
    expect(isSkipped(annotated({ [hook]: 'Skip,Sync' }))).toBe(false);
  });

  it('reads delete policies of both kinds, BeforeHookCreation without a valid one', () => {
    const policies = (annotations: Record<string, string>) =>
      hooksOf(annotated({ [hook]: 'Sync', ...annotations }))?.deletePolicies;
    expect(
      policies({
        'argocd.argoproj.io/hook-delete-policy': 'HookFailed',
        'helm.sh/hook-delete-policy': 'hook-succeeded',
      }),
    ).toEqual(['HookFailed', 'HookSucceeded']);
    expect(policies({ 'argocd.argoproj.io/hook-delete-policy': 'x' })).toEqual(['BeforeHookCreation']);
  });
});

describe('annotations of both kinds', () => {
  const phases = (hook: string, helm: string) =>
    hooksOf(annotated({ 'argocd.argoproj.io/hook': hook, 'helm.sh/hook': helm }))?.phases;
  it.each([
    ['PreSync', 'post-install', ['PreSync']],
    ['PreDelete', 'post-install', ['PostSync', 'PreDelete']],
    ['PreSync', 'post-delete', ['PreSync', 'PostDelete']],
    ['Bogus', 'pre-upgrade,pre-delete', ['PreSync', 'PreDelete']],
    ['PreSync,PreSync', '', ['PreSync']],
    ['Skip,PostSync', 'pre-install', ['PostSync']],
  ])('%s with %s', (hook, helm, expected) => expect(phases(hook, helm)).toEqual(expected));
});

describe('waveOf', () => {
  const wave = 'argocd.argoproj.io/sync-wave';
  it.each([
    [{ [wave]: '+3' }, 3],
    [{ [wave]: '007' }, 7],
    [{ [wave]: '-2' }, -2],
    [{ [wave]: ' 4' }, 0],
    [{ [wave]: '1.5' }, 0],
    [{ [wave]: 'x', 'helm.sh/hook-weight': '5' }, 5],
    [{ [wave]: '1', 'helm.sh/hook-weight': '5' }, 1],
    [{ [wave]: '99999999999999999999' }, 0],
  ] as [Record<string, string>, number][])('%j', (annotations, expected) => {
    expect(waveOf(annotated(annotations))).toBe(expected);
  });
});

describe('removal', () => {
  const options = (value: string) => annotated({ 'argocd.argoproj.io/sync-options': value });
  it('is decided by the object before the Application', () => {
    expect(pruneDecision(annotated({}), { prune: false }).action).toBe('keep');
    expect(pruneDecision(annotated({}), { prune: true }).action).toBe('remove');
    expect(pruneDecision(options('Prune=false'), { prune: true }).action).toBe('keep');
    expect(pruneDecision(options('Prune=true'), { prune: true, defaultPrune: 'false' }).action).toBe(
      'remove',
    );
    expect(pruneDecision(options('Prune=confirm'), { prune: true }).action).toBe('confirm');
    expect(pruneDecision(options('Prune=confirm'), { prune: true, confirmed: true }).action).toBe('remove');
    expect(deleteDecision(options('Delete=false')).action).toBe('keep');
    expect(deleteDecision(annotated({ 'helm.sh/resource-policy': 'keep' })).action).toBe('keep');
  });
});
