import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { healthOf, planOf, readObjects } from './offline.ts';
import { planInputs } from './sync-inputs.ts';
import type { Terminal } from './terminal.ts';

const terminal = { stdin: () => Promise.reject(new Error('not asked')) } as unknown as Terminal;
const map = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...more },
});

describe('objects of files', () => {
  it('may come as a plain list, and without a name where that is allowed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'muster-objects-'));
    const file = join(folder, 'objects.json');
    const nameless = { apiVersion: 'v1', kind: 'Pod', status: { phase: 'Pending' } };
    await writeFile(file, JSON.stringify([map('a'), nameless]));
    const objects = await readObjects([file], { nameless: true, terminal });
    expect(healthOf(objects).map(({ kind, name, status }) => [kind, name, status])).toEqual([
      ['ConfigMap', 'a', null],
      ['Pod', '', 'Progressing'],
    ]);
    await expect(readObjects([file], { terminal })).rejects.toThrow('metadata of the Pod is missing');
    await rm(folder, { recursive: true, force: true });
  });
});

describe('what a plan is told', () => {
  let folder: string;
  let application: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'muster-sync-'));
    application = join(folder, 'app.yaml');
    await writeFile(
      application,
      `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop}
spec:
  destination: {namespace: shop}
  syncPolicy: {syncOptions: [PruneLast=true, CreateNamespace=true, Prune=false]}
`,
    );
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('comes from an Application, and from the command line before it', async () => {
    expect(await planInputs({ application }, terminal)).toMatchObject({
      namespace: 'shop',
      pruneLast: true,
      createNamespace: true,
      defaultPrune: 'false',
    });
    const flags = { application, namespace: 'demo', option: ['PruneLast=false', 'Prune=confirm'] };
    expect(await planInputs(flags, terminal)).toMatchObject({
      namespace: 'demo',
      pruneLast: false,
      defaultPrune: 'confirm',
    });
  });

  it('names hooks by revision and start, given in seconds or as a time', async () => {
    const hook = {
      ...map(''),
      metadata: { generateName: 'job-', annotations: { 'argocd.argoproj.io/hook': 'PreSync' } },
    };
    const named = async (startedAt: string) => {
      const inputs = await planInputs({ revision: '3fa9c1d2e4b5a697', startedAt }, terminal);
      return planOf([hook] as never, [], inputs).map(({ name }) => name);
    };
    expect(await named('1767607200')).toEqual(['job-3fa9c1d-presync-1767607200']);
    expect(await named('2026-01-05T10:00:00Z')).toEqual(['job-3fa9c1d-presync-1767607200']);
    await expect(planInputs({ startedAt: 'noon' }, terminal)).rejects.toThrow(
      'neither Unix seconds nor a time',
    );
    await expect(planInputs({ option: ['PruneLast'] }, terminal)).rejects.toThrow('is not Name=value');
  });

  it('makes the namespace where it is wanted and missing, leaves hooks out, prunes last', async () => {
    const inputs = await planInputs({ application, skipHooks: true }, terminal);
    const hook = map('h', { annotations: { 'argocd.argoproj.io/hook': 'PreSync' } });
    const late = map('late', { annotations: { 'argocd.argoproj.io/sync-wave': '3' } });
    const old = map('old', { namespace: 'shop' });
    const steps = (live: object[]) =>
      planOf([hook, late] as never, live as never, inputs).map(
        (row) => `${row.wave} ${row.action} ${row.name}`,
      );
    expect(steps([old])).toEqual(['0 apply shop', '3 apply late', '4 prune old']);
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
    expect(steps([old, namespace])).not.toContain('0 apply shop');
    expect(planOf([late], [old] as never, inputs).at(-1)?.held).toContain('Prune=false');
  });
});
