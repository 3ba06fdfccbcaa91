/**
 * A controller that wants something else: applies a manifest with force as its own field manager whenever the object is
 * not as it wants it, until it is ended. It is told by a watch. Started as a process: KUBECONFIG, the manager's name and
 * the manifest (JSON) are its arguments.
 */
import { KubeClient, type KubeObject } from '../../src/kube.ts';
import { eventually } from '../../src/wait.ts';

const [kubeconfig, fieldManager, manifest] = process.argv.slice(2) as [string, string, string];
const kube = KubeClient.fromKubeconfig(kubeconfig);
const object = JSON.parse(manifest) as KubeObject;

for (;;) {
  try {
    for await (const live of kube.watch(`${object.apiVersion}/${object.kind}`, object.metadata)) {
      const differs = Object.entries(object.data).some(([key, value]) => live.data?.[key] !== value);
      if (differs) await kube.apply(object, { fieldManager, force: true });
    }
  } catch (thrown) {
    // As a controller does: what broke is begun again once the API server answers.
    process.stderr.write(`${String(thrown)}\n`);
    const { name, namespace } = object.metadata;
    const path = `${object.apiVersion}/${object.kind}`;
    await eventually(async () => [await kube.find(path, `${namespace}/${name}`)], {
      what: 'the API server to answer',
    });
  }
}
