/** Where a provider is and by which key: from the user's environment alone, both by one prefix, so that a key only goes to its own address. */
import { type Failure, failure } from '../outcome.ts';
import type { Provider } from './provider.ts';

export interface Account {
  readonly key: string;
  /** Without a slash at its end. */
  readonly baseUrl: string;
}

export function accountOf(
  provider: Provider,
  prefix: string,
  environment: Readonly<Record<string, string | undefined>>,
): Account | Failure {
  const keyName = `${prefix}_API_KEY`;
  const urlName = `${prefix}_BASE_URL`;
  const key = environment[keyName];
  const given = environment[urlName];
  if (key === undefined || key === '') {
    return failure('authentication', `There is no key for the model API: set ${keyName} in the environment.`);
  }
  if (/[^\x21-\x7e]/.test(key)) {
    return failure(
      'authentication',
      `${keyName} holds characters that no key has; set it again without spaces or line ends.`,
    );
  }
  if ((given === undefined || given === '') && prefix !== provider.prefix) {
    return failure('invalidRequest', `There is no address for the model API: set ${urlName} in the environment.`);
  }
  const text = given === undefined || given === '' ? provider.baseUrl : given;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isLoopback = url !== undefined && /^(?:127(?:\.\d+){3}|localhost|\[::1\])$/.test(url.hostname);
  if (url === undefined || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback))) {
    const rule =
      'an https address (http only on this machine itself, since the key would go over the network to be read)';
    return failure('invalidRequest', `Expected ${urlName} to be ${rule}, got ${JSON.stringify(text)}.`);
  }
  return { key, baseUrl: text.replace(/\/+$/, '') };
}
