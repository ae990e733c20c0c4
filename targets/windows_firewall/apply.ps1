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
