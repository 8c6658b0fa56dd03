/** Type-checks the modules of pages against the built packages, as strictly as the repository itself. */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import type { PageProblem } from './page.ts'
import type { PageModule } from './page-module.ts'

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url))

export function typeCheckPages(modules: readonly PageModule[]): readonly PageProblem[] {
  const files = new Map(modules.map((module) => [fileOf(module), module]))
  const options = readOptions()
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile } = host
  host.fileExists = (file) => files.has(file) || fileExists(file)
  host.readFile = (file) => files.get(file)?.typed ?? readFile(file)
  const program = ts.createProgram([...files.keys()], options, host)
  const diagnostics = [
    ...program.getOptionsDiagnostics(),
    ...program.getSyntacticDiagnostics(),
    ...program.getSemanticDiagnostics(),
  ]
  return diagnostics.map(({ file, start = 0, messageText }) => {
    const message = ts.flattenDiagnosticMessageText(messageText, '\n')
    const module = file === undefined ? undefined : files.get(file.fileName)
    if (module === undefined) return { page: file?.fileName ?? 'tsconfig', line: 1, message }
    return { page: module.page, line: module.lineOf(start), message: `type error: ${message}` }
  })
}

/** Beside the page, where the packages are found. */
function fileOf({ page }: PageModule): string {
  return join(REPOSITORY, dirname(page), `${page.replaceAll('/', '-')}.mts`).replaceAll('\\', '/')
}

function readOptions(): ts.CompilerOptions {
  const file = join(REPOSITORY, 'tsconfig.base.json')
  const { config } = ts.readConfigFile(file, ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, REPOSITORY)
  const { strict, exactOptionalPropertyTypes, noUncheckedIndexedAccess, target, lib, module } =
    options
  return {
    ...{ strict, exactOptionalPropertyTypes, noUncheckedIndexedAccess, target, lib, module },
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
    noEmit: true,
    skipLibCheck: true,
  } as ts.CompilerOptions
}
