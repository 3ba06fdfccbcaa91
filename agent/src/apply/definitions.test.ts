import { describe, expect, it } from 'vitest';
import { KubeError } from '../kube/errors.ts';
import type { Cluster } from './cluster.ts';
import { onceServed, servedByNow, waitForDefinitions } from './definitions.ts';

const widget = { apiVersion: 'acme.io/v1', kind: 'Widget' };
const established = { type: 'Established', status: 'True' };
const { signal } = new AbortController();

const definition = (versions = ['v1'], conditions: object[] = [established]) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.acme.io' },
  spec: {
    group: 'acme.io',
    names: { kind: 'Widget', plural: 'widgets' },
    versions: versions.map((name) => ({ name, served: true })),
  },
  status: { conditions },
});

/** A cluster that serves at each refresh what comes next, and at last what was named last. */
function cluster(served: string[][], live: object | undefined, forbidden = false) {
  let refreshed = -1;
  const list = () => {
    if (forbidden) throw new KubeError(403, undefined, 'may not list');
    return { items: live ? [live] : null };
  };
  const fake = {
    now: () => refreshed * 1_000,
    log: { info: () => undefined },
    client: {
      call: async (path: string) => (path.endsWith('definitions') ? list() : live),
      find: async () => live,
    },
    discovery: {
      refresh: async () => void refreshed++,
      resolve: async (apiVersion: string, kind: string) =>
        served[Math.min(refreshed, served.length - 1)]!.includes(`${apiVersion}/${kind}`) ? {} : undefined,
    },
  };
  return { fake: fake as unknown as Cluster, refreshes: () => refreshed + 1 };
}

describe('kinds that were not served a moment ago', () => {
  it('are served by now', async () => {
    expect(await servedByNow(cluster([['acme.io/v1/Widget']], undefined).fake, [widget], signal)).toBe(true);
  });

  it('are waited for where their definition is in the cluster', async () => {
    const { fake } = cluster([[], [], [], ['acme.io/v1/Widget']], definition());
    expect(await servedByNow(fake, [widget], signal)).toBe(true);
  });

  it.each([
    ['nobody defines them', undefined],
    ['their definition has another version', definition(['v2'])],
    ['others have their names', definition(['v1'], [{ type: 'NamesAccepted', status: 'False' }])],
    [
      'their definition is going',
      { ...definition(), metadata: { name: 'widgets.acme.io', deletionTimestamp: 'now' } },
    ],
  ])('are not waited for where %s', async (_, live) => {
    const { fake, refreshes } = cluster([[]], live);
    expect(await servedByNow(fake, [widget], signal)).toBe(false);
    expect(refreshes()).toBe(1);
  });

  it('are not waited for where definitions may not be listed', async () => {
    expect(await servedByNow(cluster([[]], definition(), true).fake, [widget], signal)).toBe(false);
  });

  it('are given up after a minute', async () => {
    const { fake } = cluster([[]], definition());
    fake.now = (() => {
      let now = 0;
      return () => (now += 40_000);
    })();
    expect(await servedByNow(fake, [widget], signal)).toBe(false);
  });
});

describe('a definition that was applied', () => {
  it('is waited for in all its versions', async () => {
    const both = ['acme.io/v1/Widget', 'acme.io/v2/Widget'];
    const { fake, refreshes } = cluster([['acme.io/v1/Widget'], both], definition(['v1', 'v2']));
    await waitForDefinitions(fake, [definition(['v1', 'v2'])], signal);
    expect(refreshes()).toBe(2);
  });
});

describe('an API server of several that does not serve a kind yet', () => {
  const unserved = new KubeError(404, undefined, 'the API server answered 404');
  const failing = (times: number, error: Error) => {
    let calls = 0;
    return async () => {
      if (calls++ < times) throw error;
      return calls;
    };
  };

  it('is asked again while the kind is known', async () => {
    const { fake } = cluster([['acme.io/v1/Widget']], definition());
    expect(await onceServed(fake, widget, signal, failing(2, unserved))).toBe(3);
  });

  it('is not asked again for a kind that is not known, nor for a namespace that is not there', async () => {
    const known = cluster([['acme.io/v1/Widget']], definition());
    const namespace = new KubeError(404, { reason: 'NotFound', message: 'namespaces "x" not found' }, '');
    await expect(onceServed(known.fake, widget, signal, failing(1, namespace))).rejects.toBe(namespace);
    const unknown = cluster([[]], undefined);
    await expect(onceServed(unknown.fake, widget, signal, failing(1, unserved))).rejects.toBe(unserved);
  });
});
