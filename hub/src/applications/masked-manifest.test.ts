import type { Application } from '@muster/appset';
import { MASK } from '@muster/kube';
import { expect, test } from 'vitest';
import { maskedManifest } from './masked-manifest.ts';

test('values of Helm that ended in a Secret are masked, the same words elsewhere are not', () => {
  const source = {
    repoURL: 'https://git.example.org/guestbook.git',
    path: 'guestbook',
    helm: {
      valuesObject: { inline: 'guestbook', url: 'x-guestbook-y', mode: 'dev' },
      parameters: [{ name: 'a', value: 'guestbook' }],
    },
  };
  const manifest = { metadata: { name: 'a' }, spec: { source, sources: [source] } } as unknown as Application;
  const shown = maskedManifest(manifest, new Set(['guestbook', 'dev']));
  const masked = {
    ...source,
    helm: {
      valuesObject: { inline: MASK, url: `x-${MASK}-y`, mode: 'dev' },
      parameters: [{ name: 'a', value: MASK }],
    },
  };
  expect(shown['spec']).toEqual({ source: masked, sources: [masked] });
});
