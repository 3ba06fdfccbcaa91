import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureGoTool } from '../../tools/go-tools.mjs';

/** The path of each program of a control plane and of kubectl; builds them when they are not cached. */
export interface Programs {
  path(name: string): string;
}

/**
 * The built programs; etcd and kube-apiserver come from the folder KUBEBUILDER_ASSETS where that is set.
 * The variable is read here because it belongs to the tools, not to Muster.
 */
export async function controlPlanePrograms({
  log,
  signal,
  assets = process.env.KUBEBUILDER_ASSETS,
}: {
  log?: (line: string) => void;
  signal?: AbortSignal;
  assets?: string;
} = {}): Promise<Programs> {
  const built = dirname(await ensureGoTool('control-plane', { log, signal }));
  return {
    path: (name) => {
      const given = assets && ['etcd', 'kube-apiserver'].includes(name) ? join(assets, name) : undefined;
      return given && existsSync(given) ? given : join(built, name);
    },
  };
}

/** kubectl of the version of the control planes. */
export function kubectlPath(
  options: { log?: (line: string) => void; signal?: AbortSignal } = {},
): Promise<string> {
  return ensureGoTool('kubectl', options);
}

/** The helm command, for the bench only. */
export function helmPath(
  options: { log?: (line: string) => void; signal?: AbortSignal } = {},
): Promise<string> {
  return ensureGoTool('helm', options);
}

/** The first program of a set of controllers, with the others and their CustomResourceDefinitions beside it. */
export function controllerPath(
  name: 'argo-rollouts' | 'sealed-secrets' | 'flux',
  options: { log?: (line: string) => void; signal?: AbortSignal } = {},
): Promise<string> {
  return ensureGoTool(name, options);
}
