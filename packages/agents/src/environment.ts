/** Which variables of this process an agent sees: an allow-list of names, so that a secret nobody thought of stays here. */
import { defaultInheritedEnvironment } from '@cadre/spawner';

/**
 * The part of `environment` that an agent inherits: the spawner's defaults, what reaches a model API through a company's
 * network, and `patterns`; a trailing `*` stands for any ending. `never` wins over all of them.
 */
export function inheritedVariables(
  environment: Readonly<Record<string, string | undefined>>,
  patterns: readonly string[],
  never: readonly string[] = [],
): Readonly<Record<string, string>> {
  const allowed = [...defaultInheritedEnvironment, ...network, ...patterns];
  const inherited: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || never.includes(name)) continue;
    if (allowed.some((pattern) => nameMatches(name, pattern))) inherited[name] = value;
  }
  return inherited;
}

const network: readonly string[] = [
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'],
  ...['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
];

function nameMatches(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
