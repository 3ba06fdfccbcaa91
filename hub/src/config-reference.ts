import { settings } from './config.ts';

/** `docs/configuration.md`: every setting of the hub, from the schema that reads them. */
export function configurationReference(): string {
  const rows = Object.values(settings).map(({ env, unset, about, secret }) => {
    const note = secret ? ' Secret: never logged.' : '';
    return `| \`${env}\` | ${unset} | ${about}${note} |`;
  });
  return `# Settings of the hub

Environment variables, read once at start. A wrong one stops the hub with a message that names it (exit code 1).
An empty value counts as not set. This page is generated from \`hub/src/config.ts\`
(\`npm run generate -w @muster/hub\`).

| setting | when it is not set | what it does |
|---|---|---|
${rows.join('\n')}
`;
}
