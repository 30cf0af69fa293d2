import { loadConfig } from 'c12';

/** Everything off that was not asked for: no dotenv, no rc files, no package.json. */
export function openLoader(configFile: string, defaults: object, overrides: object) {
  return async (directory: string): Promise<unknown> => {
    const { config } = await loadConfig({
      cwd: directory,
      configFile,
      rcFile: false,
      globalRc: false,
      dotenv: false,
      packageJson: false,
      extend: false,
      defaults,
      overrides,
    });
    return config;
  };
}
