#Requires -Version 5.1
#Requires -RunAsAdministrator
<#
.SYNOPSIS
    Gives Windows Firewall the outbound rules of one group of hosts.

.DESCRIPTION
    Written by egressc: do not edit. The data is at the top, the code below it is the same in every such script.

    Without a switch the script makes the rules of its group what the data says: it creates the rules that are missing
    and then removes those that are no longer wanted, so that no connection is ever without its rule. What is already
    there is not touched, and other groups never are. Run it again at any time. When it stops with an error, no rule
    that was there before is gone.

    Names are matched by dynamic keywords, which Microsoft Defender resolves: the script stops before any change when
    Defender or its Network Protection is not running. An address is known only after an application has asked for the
    name, so a first connection may fail and succeed when it is tried again.

    If the rules are for a group policy object, run the script once where the Group Policy tools are installed, and
    make "firewall.ps1 -KeywordsOnly" a start-up script of the hosts: dynamic keywords have no form in group policy.

.PARAMETER EnforceDefaultDeny
    Blocks, at the very end, every outbound connection that no rule allows. Established connections live on. Unless
    RollbackMinutes is 0, a scheduled task undoes it after that time: when all works, run the script once more with
    "-EnforceDefaultDeny -RollbackMinutes 0" to keep it. In a group policy object nothing undoes it: try it on one host.

.PARAMETER RollbackMinutes
    How long after -EnforceDefaultDeny the scheduled task waits. 0: there is no such task, and a waiting one is removed.

.PARAMETER Remove
    Puts the default action back to what it was before -EnforceDefaultDeny, then removes the rules of the group and the
    dynamic keywords that no other rule uses.

.PARAMETER KeywordsOnly
    Creates the dynamic keywords, removes those of egressc that no rule uses any more, and does nothing else.

.EXAMPLE
    .\firewall.ps1 -WhatIf

.EXAMPLE
    .\firewall.ps1 -EnforceDefaultDeny
#>
[CmdletBinding(SupportsShouldProcess = $true, DefaultParameterSetName = 'Apply')]
param(
    [Parameter(ParameterSetName = 'Apply')]
    [switch] $EnforceDefaultDeny,

    [Parameter(ParameterSetName = 'Apply')]
    [ValidateRange(0, 1440)]
    [int] $RollbackMinutes = 10,

    [Parameter(ParameterSetName = 'Remove')]
    [switch] $Remove,

    [Parameter(ParameterSetName = 'KeywordsOnly')]
    [switch] $KeywordsOnly
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

# ---- data ----------------------------------------------------------------------------------------------------------

$Site = @{
    Name = 'hosts'
    Group = 'egressc'
    Store = 'PersistentStore'
    GroupPolicy = $false
    Profile = 'Any'
    ClosingDeny = $true
    RollbackTask = 'egressc-rollback-egressc-ad7cb3'
}

$Keywords = @(
    @{
        Id = '{5bb90b46-f944-57dd-b457-db29eca09869}'
        Keyword = '*.agent.example'
    }
    @{
        Id = '{a88508e9-0c1b-5129-bef3-5fa92f2ea495}'
        Keyword = '*.msappproxy.net'
    }
    @{
        Id = '{0ae5d490-1127-5357-be0b-400d05734da8}'
        Keyword = '*.servicebus.windows.net'
    }
    @{
        Id = '{7afc386a-d067-57d6-b922-c722bfcb6195}'
        Keyword = 'www.microsoft.com'
    }
)

$Rules = @(
    @{
        Name = 'egressc-12b8b2360c9f-25183912'
        DisplayName = 'egressc: internal networks'
        Description = 'Internal networks: what the default deny leaves to other rules.'
        Action = 'Allow'
        Protocol = 'Any'
        RemoteAddress = @('10.0.0.0/8', 'fc00::/7')
    }
    @{
        Name = 'egressc-67a53e4e56ff-8db1fc57'
        DisplayName = 'egressc: dublin/agent as agent, program %ProgramFiles%\Contoso''s Agent\agent.exe TCP (names)'
        Description = 'dublin/agent: The agent, but not at the old site - Owner: network-security@contoso.example - Ticket: CHG-1 - Reference: https://wiki.contoso.example/egress?a=b/c'
        Action = 'Allow'
        Protocol = 'TCP'
        RemotePort = @('8443')
        RemoteDynamicKeywordAddresses = @('{5bb90b46-f944-57dd-b457-db29eca09869}')
        LocalAccounts = @('CONTOSO\agent$')
        Program = '%ProgramFiles%\Contoso''s Agent\agent.exe'
    }
    @{
        Name = 'egressc-6a8902d38ff0-32b27282'
        DisplayName = 'egressc: dublin/agent as agent, program %ProgramFiles%\Contoso''s Agent\agent.exe TCP (excepted addresses)'
        Description = 'dublin/agent: The agent, but not at the old site - Owner: network-security@contoso.example - Ticket: CHG-1 - Reference: https://wiki.contoso.example/egress?a=b/c'
        Action = 'Block'
        Protocol = 'TCP'
        RemotePort = @('8443')
        RemoteAddress = @('198.51.100.0/24')
        LocalAccounts = @('CONTOSO\agent$')
        Program = '%ProgramFiles%\Contoso''s Agent\agent.exe'
    }
    @{
        Name = 'egressc-ef810eb7496a-998546f5'
        DisplayName = 'egressc: dublin/cloud as connector, service WAPCSvc TCP (names)'
        Description = ('dublin/cloud: Caf' + [char]0xE9 + ' ' + [char]0x2019 + 'quoted' + [char]0x2019 + ' $(not run) `nor this` ' + [char]0xD83D + [char]0xDD25 + ' - Owner: network-security@contoso.example - Reference: https://wiki.contoso.example/egress?a=b/c - Expires: 2027-06-30')
        Action = 'Allow'
        Protocol = 'TCP'
        RemotePort = @('80', '443')
        RemoteDynamicKeywordAddresses = @('{a88508e9-0c1b-5129-bef3-5fa92f2ea495}', '{0ae5d490-1127-5357-be0b-400d05734da8}', '{7afc386a-d067-57d6-b922-c722bfcb6195}')
        LocalUser = 'D:(A;;CC;;;S-1-5-20)'
        Service = 'WAPCSvc'
    }
    @{
        Name = 'egressc-8880b8e295a5-cd7ba553'
        DisplayName = 'egressc: dublin/quarantine TCP (addresses)'
        Description = 'dublin/quarantine: Nobody talks to quarantined hosts - Owner: network-security@contoso.example - Reference: https://wiki.contoso.example/egress?a=b/c'
        Action = 'Block'
        Protocol = 'TCP'
        RemotePort = @('Any')
        RemoteAddress = @('10.66.0.0/16')
    }
    @{
        Name = 'egressc-364b6b32c05a-3e89ee02'
        DisplayName = 'egressc: dublin/quarantine UDP (addresses)'
        Description = 'dublin/quarantine: Nobody talks to quarantined hosts - Owner: network-security@contoso.example - Reference: https://wiki.contoso.example/egress?a=b/c'
        Action = 'Block'
        Protocol = 'UDP'
        RemotePort = @('Any')
        RemoteAddress = @('10.66.0.0/16')
    }
    @{
        Name = 'egressc-ed8cd1bb7fa7-a1e28cc8'
        DisplayName = 'egressc: dublin/time TCP (addresses)'
        Description = 'dublin/time: Time servers - Owner: network-security@contoso.example - Reference: https://wiki.contoso.example/egress?a=b/c'
        Action = 'Allow'
        Protocol = 'TCP'
        RemotePort = @('4460')
        RemoteAddress = @('192.0.2.1', '192.0.2.8/30', '2001:db8::/64')
    }
    @{
        Name = 'egressc-9b5ffb5ddf95-e02e0339'
        DisplayName = 'egressc: dublin/time UDP (addresses)'
        Description = 'dublin/time: Time servers - Owner: network-security@contoso.example - Reference: https://wiki.contoso.example/egress?a=b/c'
        Action = 'Allow'
        Protocol = 'UDP'
        RemotePort = @('123')
        RemoteAddress = @('192.0.2.1', '192.0.2.8/30', '2001:db8::/64')
    }
)

# ---- code: the same in every script --------------------------------------------------------------------------------

# Cmdlets of other modules see neither this script's $ErrorActionPreference nor its $WhatIfPreference: every call says
# -ErrorAction Stop, and every change stands behind ShouldProcess.
$Cmdlet = $PSCmdlet
$Prefix = 'egressc-'
$StateKey = 'SOFTWARE\egressc\'
$ServicesKey = 'HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\'
$MinimumBuild = 20348
$MinimumPlatform = '4.18.2209.7'
$KeywordNamespace = 'f955b8ef-1d78-5351-a3df-78304e939dc0'
$ProfileNames = @('Domain', 'Private', 'Public')
if ($Site['Profile'] -ne 'Any') {
    $ProfileNames = @($Site['Profile'].Split(','))
}

function Get-PropertyValue {
    # The value of a property that older versions of a module do not have; nothing without it.
    param($InputObject, [string] $Name)
    $property = $InputObject.PSObject.Properties[$Name]
    if ($null -ne $property) {
        $property.Value
    }
}

function Get-Found {
    # What a query finds; nothing, instead of an error, when it finds nothing. Every other error stays one.
    param([scriptblock] $Query)
    try {
        & $Query
    }
    catch {
        if ($_.CategoryInfo.Category -ne [System.Management.Automation.ErrorCategory]::ObjectNotFound) {
            throw
        }
    }
}

function Get-PlainId {
    # A GUID in one spelling: no braces, lower case.
    param([string] $Id)
    $Id.Trim([char[]] @('{', '}')).ToLowerInvariant()
}

function Get-KeywordId {
    # The version 5 UUID of a keyword in egressc's name space: tells which keywords are egressc's.
    param([string] $Keyword)
    $hex = $KeywordNamespace.Replace('-', '')
    $bytes = New-Object -TypeName 'System.Collections.Generic.List[byte]'
    for ($i = 0; $i -lt 32; $i += 2) {
        $bytes.Add([System.Convert]::ToByte($hex.Substring($i, 2), 16))
    }
    $bytes.AddRange([System.Text.Encoding]::UTF8.GetBytes($Keyword.ToLowerInvariant()))
    $algorithm = [System.Security.Cryptography.SHA1]::Create()
    $hash = $algorithm.ComputeHash($bytes.ToArray())
    $algorithm.Dispose()
    $hash[6] = ($hash[6] -band 0x0F) -bor 0x50
    $hash[8] = ($hash[8] -band 0x3F) -bor 0x80
    $text = [System.BitConverter]::ToString($hash, 0, 16).Replace('-', '').ToLowerInvariant()
    $parts = @($text.Substring(0, 8), $text.Substring(8, 4), $text.Substring(12, 4), $text.Substring(16, 4))
    [string]::Join('-', $parts) + '-' + $text.Substring(20, 12)
}

function Get-KeywordProblem {
    # Why names could not be matched on this host, one sentence for each reason.
    if ($Keywords.Count -eq 0) {
        return
    }
    $system = Get-CimInstance -ClassName 'Win32_OperatingSystem' -ErrorAction Stop
    if ([int] $system.BuildNumber -lt $MinimumBuild) {
        'Windows build ' + $system.BuildNumber + ' has no dynamic keywords; they need build ' + $MinimumBuild + '.'
        return
    }
    try {
        $status = Get-MpComputerStatus -ErrorAction Stop
        $preference = Get-MpPreference -ErrorAction Stop
    }
    catch {
        'Microsoft Defender does not answer (' + $_.Exception.Message + '): without it no name is resolved.'
        return
    }
    $mode = Get-PropertyValue -InputObject $status -Name 'AMRunningMode'
    if (-not $status.AntivirusEnabled -or ($null -ne $mode -and $mode -ne 'Normal')) {
        'Microsoft Defender Antivirus is not the active antivirus of this host: without it no name is resolved.'
    }
    # Microsoft, network-protection.md, "Requirements for network protection"
    if (-not $status.RealTimeProtectionEnabled) {
        'Real-time protection of Microsoft Defender is off: without it there is no Network Protection.'
    }
    $platform = $null
    if (-not [version]::TryParse([string] $status.AMProductVersion, [ref] $platform)) {
        'The platform version of Microsoft Defender is not known.'
    }
    elseif ($platform -lt [version] $MinimumPlatform) {
        'The platform version of Microsoft Defender is ' + $platform + '; it must be ' + $MinimumPlatform + ' or later.'
    }
    if (@(1, 2) -notcontains [int] $preference.EnableNetworkProtection) {
        'Network Protection is off: Set-MpPreference -EnableNetworkProtection Enabled'
    }
    if ([int] $system.ProductType -ne 1) {
        if (-not (Get-PropertyValue -InputObject $preference -Name 'AllowNetworkProtectionOnWinServer')) {
            'Network Protection is not let in on this server: Set-MpPreference -AllowNetworkProtectionOnWinServer $true'
        }
        if (-not (Get-PropertyValue -InputObject $preference -Name 'AllowDatagramProcessingOnWinServer')) {
            'Defender does not read DNS on this server: Set-MpPreference -AllowDatagramProcessingOnWinServer $true'
        }
    }
}

function Get-ServiceProblem {
    # Services that a rule names and that are not here, or whose processes do not carry the service's identifier. The
    # registry holds what sc.exe qsidtype says in the language of the host: 0 is none ([MS-SCMR], SERVICE_SID_INFO; the
    # value's name as in Microsoft's about_Registry_Provider).
    $names = @($Rules | Where-Object { $_.ContainsKey('Service') } | ForEach-Object { $_['Service'] } | Sort-Object -Unique)
    foreach ($name in $names) {
        $kind = [Microsoft.Win32.Registry]::GetValue($ServicesKey + $name, 'ServiceSidType', 0)
        if ($null -eq $kind) {
            'There is no service ' + $name + ' on this host.'
        }
        elseif ($kind -eq 0) {
            'The service ' + $name + ' has no identifier in its token: sc.exe sidtype ' + $name + ' unrestricted, then restart it.'
        }
    }
}

function Get-StoreProblem {
    # Why rules in the store of this host would not take effect.
    foreach ($active in @(Get-NetFirewallProfile -PolicyStore 'ActiveStore' -ErrorAction Stop)) {
        if ($ProfileNames -notcontains $active.Name) {
            continue
        }
        if ([string] $active.AllowLocalFirewallRules -eq 'False') {
            'Group policy voids the local firewall rules of the profile ' + $active.Name + '.'
        }
        if ([string] $active.Enabled -ne 'True') {
            if ($EnforceDefaultDeny) {
                'The firewall is off in the profile ' + $active.Name + ': nothing is blocked there.'
            }
            else {
                Write-Warning -Message ('The firewall is off in the profile ' + $active.Name + ': nothing is blocked there.')
            }
        }
    }
}

function Get-GroupRule {
    # The rules of the group that are egressc's, read once.
    $found = @(Get-Found -Query { Get-NetFirewallRule -Group $Site['Group'] -PolicyStore $Site['Store'] -ErrorAction Stop })
    $found | Where-Object { $_.Group -eq $Site['Group'] -and $_.Name.StartsWith($Prefix, [System.StringComparison]::Ordinal) }
}

function Get-ResolvedKeyword {
    # The dynamic keywords of this host that are names.
    Get-Found -Query { Get-NetFirewallDynamicKeywordAddress -AllAutoResolve -ErrorAction Stop }
}

function Get-UsedKeywordId {
    # The ids that some rule of this host refers to, from whatever source it comes.
    $used = @{}
    foreach ($store in @('PersistentStore', 'ActiveStore')) {
        foreach ($rule in @(Get-Found -Query { Get-NetFirewallRule -All -PolicyStore $store -ErrorAction Stop })) {
            foreach ($id in @(Get-PropertyValue -InputObject $rule -Name 'RemoteDynamicKeywordAddresses')) {
                if ($id) {
                    $used[(Get-PlainId -Id $id)] = $true
                }
            }
        }
    }
    $used
}

function Get-RuleParameter {
    # The parameters of New-NetFirewallRule for one rule of the data.
    param([hashtable] $Rule, [hashtable] $Identifiers, $Session)
    $parameters = @{
        Name        = $Rule['Name']
        DisplayName = $Rule['DisplayName']
        Description = $Rule['Description']
        Group       = $Site['Group']
        Profile     = $Site['Profile']
        Direction   = 'Outbound'
        Enabled     = 'True'
        Action      = $Rule['Action']
        Protocol    = $Rule['Protocol']
        ErrorAction = 'Stop'
    }
    foreach ($key in @('RemotePort', 'RemoteAddress', 'RemoteDynamicKeywordAddresses', 'LocalUser', 'Service', 'Program')) {
        if ($Rule.ContainsKey($key)) {
            $parameters[$key] = $Rule[$key]
        }
    }
    if ($Rule.ContainsKey('LocalAccounts')) {
        $list = 'D:'
        if ($Rule.ContainsKey('LocalUser')) {
            $list = $Rule['LocalUser']
        }
        foreach ($account in $Rule['LocalAccounts']) {
            $list = $list + '(A;;CC;;;' + $Identifiers[$account] + ')'
        }
        $parameters['LocalUser'] = $list
    }
    if ($null -ne $Session) {
        $parameters['GPOSession'] = $Session
    }
    else {
        $parameters['PolicyStore'] = $Site['Store']
    }
    $parameters
}

function Get-RollbackTask {
    # The waiting scheduled task, if there is one.
    Get-ScheduledTask -ErrorAction Stop | Where-Object { $_.TaskName -eq $Site['RollbackTask'] }
}

function Remove-StaleKeyword {
    # Removes egressc's keywords of this host, whatever script they came from, that are not wanted and not in use.
    param([hashtable] $Wanted)
    $stale = @(Get-ResolvedKeyword | Where-Object {
            $id = Get-PlainId -Id $_.Id
            -not $Wanted.ContainsKey($id) -and $id -eq (Get-KeywordId -Keyword $_.Keyword)
        })
    if ($stale.Count -eq 0) {
        return
    }
    $used = Get-UsedKeywordId
    foreach ($keyword in $stale) {
        if (-not $used.ContainsKey((Get-PlainId -Id $keyword.Id))) {
            if ($Cmdlet.ShouldProcess($keyword.Keyword, 'Remove dynamic keyword')) {
                Remove-NetFirewallDynamicKeywordAddress -Id $keyword.Id -ErrorAction Stop
            }
        }
    }
}

# ---- removal

if ($Remove) {
    if ($Site['GroupPolicy']) {
        foreach ($configured in @(Get-NetFirewallProfile -PolicyStore $Site['Store'] -ErrorAction Stop)) {
            if ($ProfileNames -contains $configured.Name -and [string] $configured.DefaultOutboundAction -eq 'Block') {
                if ($Cmdlet.ShouldProcess($Site['Store'] + ' ' + $configured.Name, 'Leave the default outbound action to the hosts')) {
                    Set-NetFirewallProfile -Name $configured.Name -PolicyStore $Site['Store'] -DefaultOutboundAction 'NotConfigured' -ErrorAction Stop
                }
            }
        }
    }
    else {
        # The default action comes first: without it the host would be cut off as soon as the rules are gone.
        $state = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($StateKey + $Site['Group'])
        if ($null -ne $state) {
            foreach ($name in $state.GetValueNames()) {
                $action = [string] $state.GetValue($name)
                if ($Cmdlet.ShouldProcess($name, 'Put the default outbound action back to ' + $action)) {
                    Set-NetFirewallProfile -Name $name -PolicyStore 'PersistentStore' -DefaultOutboundAction $action -ErrorAction Stop
                }
            }
            $state.Close()
            if ($Cmdlet.ShouldProcess($StateKey + $Site['Group'], 'Remove registry key')) {
                [Microsoft.Win32.Registry]::LocalMachine.DeleteSubKey($StateKey + $Site['Group'])
            }
        }
        foreach ($task in @(Get-RollbackTask)) {
            if ($Cmdlet.ShouldProcess($task.TaskName, 'Remove scheduled task')) {
                Unregister-ScheduledTask -TaskName $task.TaskName -Confirm:$false -ErrorAction Stop
            }
        }
    }
    foreach ($rule in @(Get-GroupRule)) {
        if ($Cmdlet.ShouldProcess($rule.Name + ' ' + $rule.DisplayName, 'Remove firewall rule')) {
            Remove-NetFirewallRule -Name $rule.Name -PolicyStore $Site['Store'] -ErrorAction Stop
        }
    }
    if (-not $Site['GroupPolicy']) {
        Remove-StaleKeyword -Wanted @{}
    }
    return
}

# ---- checks, before anything is changed

$problems = New-Object -TypeName 'System.Collections.Generic.List[string]'
$identifiers = @{}
$onHost = $KeywordsOnly -or -not $Site['GroupPolicy']
if ($EnforceDefaultDeny -and -not $Site['ClosingDeny']) {
    $problems.Add('These rules were compiled without a closing deny (an unbound group, or default-deny: false): -EnforceDefaultDeny would cut the host off.')
}
if ($onHost) {
    foreach ($problem in @(Get-KeywordProblem) + @(Get-ServiceProblem)) {
        $problems.Add($problem)
    }
    if ($Keywords.Count -gt 0) {
        $dohLocal = [Microsoft.Win32.Registry]::GetValue('HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Dnscache\Parameters', 'EnableAutoDoh', 0)
        $dohPolicy = [Microsoft.Win32.Registry]::GetValue('HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows NT\DNSClient', 'DoHPolicy', 0)
        if ($dohLocal -eq 2 -or $dohPolicy -eq 2 -or $dohPolicy -eq 3) {
            Write-Warning -Message 'This host may use DNS over HTTPS: names that it resolves that way are not matched by any rule. Turn it off, in browsers too.'
        }
    }
}
if (-not $KeywordsOnly) {
    if (-not $Site['GroupPolicy']) {
        foreach ($problem in @(Get-StoreProblem)) {
            $problems.Add($problem)
        }
    }
    $accounts = @($Rules | Where-Object { $_.ContainsKey('LocalAccounts') } | ForEach-Object { $_['LocalAccounts'] } | Sort-Object -Unique)
    foreach ($account in $accounts) {
        try {
            $principal = New-Object -TypeName 'System.Security.Principal.NTAccount' -ArgumentList @($account)
            $identifiers[$account] = $principal.Translate([System.Security.Principal.SecurityIdentifier]).Value
        }
        catch {
            $problems.Add('The account ' + $account + ' cannot be resolved: ' + $_.Exception.Message)
        }
    }
}
if ($problems.Count -gt 0) {
    foreach ($problem in $problems) {
        Write-Warning -Message $problem
    }
    throw 'Nothing was changed: see the warnings above.'
}

# ---- dynamic keywords

$wantedKeywords = @{}
foreach ($keyword in $Keywords) {
    $wantedKeywords[(Get-PlainId -Id $keyword['Id'])] = $true
}
if ($onHost -and $Keywords.Count -gt 0) {
    $presentKeywords = @{}
    foreach ($keyword in @(Get-ResolvedKeyword)) {
        $presentKeywords[(Get-PlainId -Id $keyword.Id)] = [string] $keyword.Keyword
    }
    foreach ($keyword in $Keywords) {
        $id = Get-PlainId -Id $keyword['Id']
        if (-not $presentKeywords.ContainsKey($id)) {
            if ($Cmdlet.ShouldProcess($keyword['Keyword'], 'Create dynamic keyword')) {
                New-NetFirewallDynamicKeywordAddress -Id $keyword['Id'] -Keyword $keyword['Keyword'] -AutoResolve $true -ErrorAction Stop | Out-Null
            }
        }
        elseif ($presentKeywords[$id] -ne $keyword['Keyword']) {
            throw ('The dynamic keyword ' + $keyword['Id'] + ' stands for another name here: ' + $presentKeywords[$id])
        }
    }
}
if ($KeywordsOnly) {
    Remove-StaleKeyword -Wanted $wantedKeywords
    return
}

# ---- rules: first what is missing, then away with what is no longer wanted

$wanted = @{}
foreach ($rule in $Rules) {
    $wanted[$rule['Name']] = $true
}
$present = @{}
$stale = New-Object -TypeName 'System.Collections.Generic.List[object]'
foreach ($rule in @(Get-GroupRule)) {
    $present[$rule.Name] = $true
    if (-not $wanted.ContainsKey($rule.Name)) {
        $stale.Add($rule)
    }
    elseif ([string] $rule.Enabled -ne 'True') {
        Write-Warning -Message ('The rule ' + $rule.Name + ' has been switched off on this host: what it says does not hold.')
    }
}
$missing = @($Rules | Where-Object { -not $present.ContainsKey($_['Name']) })
$missing = @($missing | Where-Object { $_['Action'] -eq 'Block' }) + @($missing | Where-Object { $_['Action'] -ne 'Block' })
$session = $null
if ($Site['GroupPolicy'] -and $missing.Count -gt 0 -and -not $WhatIfPreference) {
    $session = Open-NetGPO -PolicyStore $Site['Store'] -ErrorAction Stop
}
$created = New-Object -TypeName 'System.Collections.Generic.List[string]'
try {
    foreach ($rule in $missing) {
        if ($Cmdlet.ShouldProcess($rule['Name'] + ' ' + $rule['DisplayName'], 'Create firewall rule')) {
            $parameters = Get-RuleParameter -Rule $rule -Identifiers $identifiers -Session $session
            New-NetFirewallRule @parameters | Out-Null
            $created.Add($rule['Name'])
        }
    }
    if ($null -ne $session) {
        Save-NetGPO -GPOSession $session -ErrorAction Stop
        $session = $null
    }
    if (-not $WhatIfPreference) {
        $after = @{}
        foreach ($rule in @(Get-GroupRule)) {
            $after[$rule.Name] = [string] $rule.PrimaryStatus
        }
        foreach ($name in $created) {
            if (-not $after.ContainsKey($name)) {
                throw ('The rule ' + $name + ' was created and is not there.')
            }
            if ($after[$name] -eq 'Error') {
                throw ('Windows Firewall does not understand the rule ' + $name + '.')
            }
        }
    }
}
catch {
    # What this run has added goes again; what was there before has not been touched. A session that was not saved
    # has changed nothing.
    $cause = $_
    foreach ($name in $created) {
        try {
            if ($null -eq $session) {
                Remove-NetFirewallRule -Name $name -PolicyStore $Site['Store'] -ErrorAction Stop
            }
        }
        catch {
            Write-Warning -Message ('The rule ' + $name + ' could not be taken back: ' + $_.Exception.Message)
        }
    }
    throw $cause
}
foreach ($action in @('Allow', 'Block')) {
    foreach ($rule in $stale) {
        if ([string] $rule.Action -eq $action) {
            if ($Cmdlet.ShouldProcess($rule.Name + ' ' + $rule.DisplayName, 'Remove firewall rule')) {
                Remove-NetFirewallRule -Name $rule.Name -PolicyStore $Site['Store'] -ErrorAction Stop
            }
        }
    }
}
if ($onHost) {
    Remove-StaleKeyword -Wanted $wantedKeywords
}
Write-Output ('egressc: ' + $created.Count + ' rules created, ' + ($Rules.Count - $missing.Count) + ' unchanged, ' + $stale.Count + ' no longer wanted.')

# ---- default deny, last

if (-not $EnforceDefaultDeny) {
    return
}
$reminder = 'Other rules than these stay in force; those of Windows itself cover DHCP and DNS. Domain controllers, time, updates and activation need a rule, or lie in the internal networks.'
if ($Site['GroupPolicy']) {
    Write-Warning -Message ('The hosts of this group policy object will reach only what a rule allows, and nothing undoes that by itself. ' + $reminder)
    if ($Cmdlet.ShouldProcess($Site['Store'], 'Block outbound connections by default')) {
        Set-NetFirewallProfile -Name $ProfileNames -PolicyStore $Site['Store'] -DefaultOutboundAction 'Block' -ErrorAction Stop
    }
    return
}
Write-Warning -Message ('From here on this host reaches only what a rule allows. ' + $reminder)
$foreign = @(Get-Found -Query { Get-NetFirewallRule -Direction 'Outbound' -Enabled 'True' -Action 'Allow' -PolicyStore 'ActiveStore' -ErrorAction Stop })
$foreign = @($foreign | Where-Object { $_.Group -ne $Site['Group'] })
Write-Warning -Message ('Outbound allow rules on this host that are not egressc''s: ' + $foreign.Count)
foreach ($rule in $foreign) {
    Write-Verbose -Message ('other allow rule: ' + $rule.Name + ' ' + $rule.DisplayName)
}
$open = @(Get-NetFirewallProfile -PolicyStore 'PersistentStore' -ErrorAction Stop | Where-Object { $ProfileNames -contains $_.Name -and [string] $_.DefaultOutboundAction -ne 'Block' })
if ($open.Count -gt 0) {
    if ($Cmdlet.ShouldProcess([string]::Join(', ', @($open | ForEach-Object { $_.Name })), 'Block outbound connections by default')) {
        $state = [Microsoft.Win32.Registry]::LocalMachine.CreateSubKey($StateKey + $Site['Group'])
        $undo = New-Object -TypeName 'System.Collections.Generic.List[string]'
        foreach ($profileBefore in $open) {
            # A store of a host knows no NotConfigured: there it means the default, which is to allow.
            if ($state.GetValueNames() -notcontains $profileBefore.Name) {
                $state.SetValue($profileBefore.Name, 'Allow')
            }
            $undo.Add('Set-NetFirewallProfile -Name ''' + $profileBefore.Name + ''' -PolicyStore PersistentStore -DefaultOutboundAction Allow')
        }
        $state.Close()
        if ($RollbackMinutes -gt 0) {
            $undo.Add('Unregister-ScheduledTask -TaskName ''' + $Site['RollbackTask'] + ''' -Confirm:$false')
            $encoded = [System.Convert]::ToBase64String([System.Text.Encoding]::Unicode.GetBytes([string]::Join('; ', $undo.ToArray())))
            $program = Join-Path -Path $env:SystemRoot -ChildPath 'System32\WindowsPowerShell\v1.0\powershell.exe'
            $taskAction = New-ScheduledTaskAction -Execute $program -Argument ('-NoProfile -NonInteractive -ExecutionPolicy Bypass -EncodedCommand ' + $encoded)
            $until = (Get-Date).AddMinutes($RollbackMinutes)
            $taskTrigger = New-ScheduledTaskTrigger -Once -At $until
            $taskPrincipal = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType 'ServiceAccount' -RunLevel 'Highest'
            $taskSettings = New-ScheduledTaskSettingsSet -StartWhenAvailable -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries
            Register-ScheduledTask -TaskName $Site['RollbackTask'] -Action $taskAction -Trigger $taskTrigger -Principal $taskPrincipal -Settings $taskSettings -Force -ErrorAction Stop | Out-Null
            Write-Warning -Message ('In ' + $RollbackMinutes + ' minutes the default becomes what it was. To keep it: firewall.ps1 -EnforceDefaultDeny -RollbackMinutes 0')
        }
        Set-NetFirewallProfile -Name @($open | ForEach-Object { $_.Name }) -PolicyStore 'PersistentStore' -DefaultOutboundAction 'Block' -ErrorAction Stop
    }
}
if ($RollbackMinutes -eq 0) {
    foreach ($task in @(Get-RollbackTask)) {
        if ($Cmdlet.ShouldProcess($task.TaskName, 'Remove scheduled task')) {
            Unregister-ScheduledTask -TaskName $task.TaskName -Confirm:$false -ErrorAction Stop
        }
    }
}
if (-not $WhatIfPreference) {
    foreach ($active in @(Get-NetFirewallProfile -PolicyStore 'ActiveStore' -ErrorAction Stop)) {
        if ($ProfileNames -contains $active.Name -and [string] $active.DefaultOutboundAction -ne 'Block') {
            throw ('The profile ' + $active.Name + ' still lets out what no rule allows: another policy decides its default.')
        }
    }
}
