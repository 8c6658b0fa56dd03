export function importsOf(text: string): string[]
export function layerProblems(file: string, text: string): string[]
