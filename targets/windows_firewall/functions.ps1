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

