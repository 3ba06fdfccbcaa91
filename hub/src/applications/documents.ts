import type { Application } from '@muster/appset';
import { MusterError } from '@muster/base';
import { MASK } from '@muster/kube';
import { type CheckedSet, checkApplicationSet } from '../applicationsets/set-manifest.ts';
import { parseProject } from '../projects/project-manifest.ts';
import { type CheckedSettings, SETTINGS_NAME, checkSettings } from '../settings/settings-manifest.ts';
import { type CheckedPolicy, POLICY_API, checkPolicy } from '../rollouts/policy-check.ts';
import { type CheckedPromotion, checkPromotion } from '../promotion/promotion-check.ts';
import { checkApplication } from './application-manifest.ts';

/** Where Applications and ApplicationSets live that name no namespace. */
export const DEFAULT_NAMESPACE = 'argocd';

/** A document of the hub that was checked. */
export type CheckedDocument =
  | HubObject
  | { kind: 'ConfigMap'; namespace: string; name: string; checked: CheckedSettings }
  | { kind: 'RolloutPolicy'; namespace: string; name: string; checked: CheckedPolicy }
  | { kind: 'Promotion'; namespace: string; name: string; checked: CheckedPromotion };

/** One of the kinds that an app of apps may hold. */
export type HubObject =
  | { kind: 'AppProject'; namespace: string; name: string; manifest: Record<string, unknown> }
  | { kind: 'ApplicationSet'; namespace: string; name: string; checked: CheckedSet }
  | { kind: 'Application'; namespace: string; name: string; application: Application; notices: string[] };

/** Settings, projects and policies come first: the others stand on them. Promotions stand on all others. */
export const APPLY_ORDER = {
  ConfigMap: 0,
  AppProject: 1,
  RolloutPolicy: 2,
  ApplicationSet: 3,
  Application: 4,
  Promotion: 5,
};

/** Checks every document before anything is written; what is wrong with several is said at once. */
export function checkDocuments(documents: readonly Record<string, unknown>[]): CheckedDocument[] {
  const checked: CheckedDocument[] = [];
  const errors: MusterError[] = [];
  const seen = new Set<string>();
  documents.forEach((document, i) => {
    try {
      const one = checkAny(document, `documents[${i}]`);
      const key = `${one.kind}/${one.namespace}/${one.name}`;
      if (seen.has(key))
        throw new MusterError('invalid', `${one.kind} ${one.name} is given twice`, {
          where: `documents[${i}]`,
        });
      seen.add(key);
      checked.push(one);
    } catch (thrown) {
      errors.push(MusterError.from(thrown));
    }
  });
  const [first, ...more] = errors;
  if (!first) return checked;
  if (more.length === 0) throw first;
  throw new MusterError(first.code, [first, ...more].map((error) => error.describe()).join('\n'), {
    where: 'documents',
  });
}

function checkAny(document: Record<string, unknown>, at: string): CheckedDocument {
  const { apiVersion, kind, metadata } = document as {
    apiVersion?: unknown;
    kind?: unknown;
    metadata?: { name?: unknown; namespace?: unknown };
  };
  if (apiVersion === POLICY_API && kind === 'RolloutPolicy') {
    const name = typeof metadata?.name === 'string' ? metadata.name : '';
    const policy = checkPolicy(document, name === '' ? at : `RolloutPolicy ${name}`);
    return { kind, namespace: '', name: policy.policy.name, checked: policy };
  }
  if (apiVersion === POLICY_API && kind === 'Promotion') {
    const name = typeof metadata?.name === 'string' ? metadata.name : '';
    const checked = checkPromotion(document, name === '' ? at : `Promotion ${name}`);
    return { kind, namespace: '', name: checked.promotion.name, checked };
  }
  if (apiVersion !== 'v1' || kind !== 'ConfigMap' || metadata?.name !== SETTINGS_NAME)
    return checkDocument(document, at);
  const namespace = typeof metadata.namespace === 'string' ? metadata.namespace : DEFAULT_NAMESPACE;
  const checked = checkSettings(document, `ConfigMap ${SETTINGS_NAME}`);
  return { kind, namespace, name: SETTINGS_NAME, checked };
}

/** Checks one document of the hub; throws `invalid` or `unsupported`. `at` says where it stands when it has no name. */
export function checkDocument(
  document: Record<string, unknown>,
  at: string,
  defaultNamespace = DEFAULT_NAMESPACE,
): HubObject {
  const { apiVersion, kind, metadata } = document as {
    apiVersion?: unknown;
    kind?: unknown;
    metadata?: { name?: unknown; namespace?: unknown };
  };
  const name = typeof metadata?.name === 'string' ? metadata.name : '';
  const namespace = typeof metadata?.namespace === 'string' ? metadata.namespace : defaultNamespace;
  const where = name === '' ? at : `${String(kind)} ${name}`;
  if (apiVersion !== 'argoproj.io/v1alpha1') {
    throw new MusterError(
      'invalid',
      `apiVersion ${JSON.stringify(apiVersion)}: only argoproj.io/v1alpha1, RolloutPolicies and Promotions of ${POLICY_API} and the ConfigMap ${SETTINGS_NAME} are applied to the hub`,
      { where },
    );
  }
  if (JSON.stringify(document).includes(MASK)) {
    throw new MusterError('invalid', 'holds values that the hub had masked', {
      where,
      hint: 'put the real ones in their place',
    });
  }
  switch (kind) {
    case 'AppProject':
      return { kind, namespace, name: parseProject(document, where).name, manifest: document };
    case 'ApplicationSet':
      return { kind, namespace, name, checked: checkApplicationSet(document, where) };
    case 'Application': {
      const { application, notices } = checkApplication(document, where);
      return { kind, namespace, name, application, notices };
    }
    default:
      throw new MusterError(
        'invalid',
        `kind ${JSON.stringify(kind)} is not one of Application, ApplicationSet, AppProject`,
        { where },
      );
  }
}
